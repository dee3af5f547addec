// Constants of xfloat_transcendental.glsl. Printed by tools/print_xfloat_tables.py: change it there.
// log2(e); 127 bits behind the point.
const uvec4 X_LOG2_E = uvec4(0x691D3E89u, 0xBE87FED0u, 0x5C17F0BBu, 0xB8AA3B29u);
// ln(2); 128 bits behind the point.
const uvec4 X_LN2 = uvec4(0x03F2F6AFu, 0xC9E3B398u, 0xD1CF79ABu, 0xB17217F7u);
// log10(2); 128 bits behind the point.
const uvec4 X_LOG10_2 = uvec4(0x05BE48BCu, 0x47C4ACD6u, 0x7DE7FBCCu, 0x4D104D42u);
// pi / 2; 127 bits behind the point.
const uvec4 X_HALF_PI = uvec4(0x80DC1CD1u, 0xC4C6628Bu, 0x2168C234u, 0xC90FDAA2u);
// the bits of 2 / pi behind 66 zeros; 64 bits behind the point.
const int X_TURNS_TERMS = 21;
const uvec2 X_TURNS[21] = uvec2[](
  uvec2(0x00000000u, 0x00000000u),
  uvec2(0x9391054Au, 0x28BE60DBu),
  uvec2(0x7D4D3770u, 0x7F09D5F4u),
  uvec2(0x4F10E410u, 0x36D8A566u),
  uvec2(0xF7AEF158u, 0x7F9458EAu),
  uvec2(0x909374B8u, 0x6DC91B8Eu),
  uvec2(0x82746487u, 0x01924BBAu),
  uvec2(0x2C4A69CFu, 0x3F877AC7u),
  uvec2(0x4BAED121u, 0xBA208D7Du),
  uvec2(0xAD17DF90u, 0x3A671C09u),
  uvec2(0x60D4CE7Du, 0x4E64758Eu),
  uvec2(0xEF7E4A0Eu, 0x272117E2u),
  uvec2(0xF7816603u, 0xC7FE25FFu),
  uvec2(0xD6829B47u, 0xFBCBC462u),
  uvec2(0xC9F2C26Du, 0xDB4D9FB3u),
  uvec2(0xA797FA8Bu, 0xD3D18FD9u),
  uvec2(0xFAF97C5Eu, 0x5D49EEB1u),
  uvec2(0xE294A4BAu, 0xCF41CE7Du),
  uvec2(0x47E35742u, 0x9AFED7ECu),
  uvec2(0xBF1EDAEAu, 0x1580CC11u),
  uvec2(0x26BD0D87u, 0xFC33EF08u));
// (1 - sin(x) / x) / x**2 in x**2, signs alternating; 64 bits behind the point.
const int X_SIN_TERMS = 8;
const uvec2 X_SIN[8] = uvec2[](
  uvec2(0xAAAAAAABu, 0x2AAAAAAAu),
  uvec2(0x22222222u, 0x02222222u),
  uvec2(0x0D00D00Cu, 0x000D00D0u),
  uvec2(0xC74AAD86u, 0x00002E3Bu),
  uvec2(0x99159F9Du, 0x0000006Bu),
  uvec2(0xB0922FDBu, 0x00000000u),
  uvec2(0x00D73E2Au, 0x00000000u),
  uvec2(0x0000C921u, 0x00000000u));
// (1 - cos(x)) / x**2 in x**2, signs alternating; 64 bits behind the point.
const int X_COS_TERMS = 8;
const uvec2 X_COS[8] = uvec2[](
  uvec2(0x00000000u, 0x80000000u),
  uvec2(0xAAAAAAAAu, 0x0AAAAAAAu),
  uvec2(0x5B05B04Eu, 0x005B05B0u),
  uvec2(0x01A0195Au, 0x0001A01Au),
  uvec2(0x93EDD9FBu, 0x0000049Fu),
  uvec2(0xF76C698Au, 0x00000008u),
  uvec2(0x0C9C9EA3u, 0x00000000u),
  uvec2(0x000D5850u, 0x00000000u));
// (1 - tanh(x) / x) / x**2 in x**2, signs alternating; 64 bits behind the point.
const int X_TANH_TERMS = 13;
const uvec2 X_TANH[13] = uvec2[](
  uvec2(0x55555555u, 0x55555555u),
  uvec2(0x22222213u, 0x22222222u),
  uvec2(0xD0DD005Du, 0x0DD0DD0Du),
  uvec2(0x0AFF9B2Eu, 0x05993D22u),
  uvec2(0xBC035AC6u, 0x0244DC6Au),
  uvec2(0x59E934B4u, 0x00EB69E8u),
  uvec2(0x840FB824u, 0x005F68D7u),
  uvec2(0x0D5FA23Cu, 0x0026AAF2u),
  uvec2(0x36D622E5u, 0x000FAB55u),
  uvec2(0x3D037D6Bu, 0x000656AAu),
  uvec2(0x01E97EB7u, 0x00028647u),
  uvec2(0x57F022F6u, 0x0000EAC5u),
  uvec2(0x1553FC8Bu, 0x0000395Eu));
