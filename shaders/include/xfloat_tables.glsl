// Constants of xfloat.glsl. Printed by tools/print_xfloat_tables.py: change it there.
// pi**2 / 4 - 2; 64 bits behind the point.
const uvec2 X_HALF_COSINE_FIRST = uvec2(0xC8BBCB49u, 0x77A79937u);
// its fall-off in 4 x**2, signs alternating; 64 bits behind the point.
const int X_HALF_COSINE_TERMS = 9;
const uvec2 X_HALF_COSINE[9] = uvec2[](
  uvec2(0xDAD61D9Bu, 0x81E0F840u),
  uvec2(0x1E5FFCFDu, 0x0AAE9E3Fu),
  uvec2(0xA246EAD6u, 0x00787D41u),
  uvec2(0xE5440871u, 0x00034DA3u),
  uvec2(0x9C51B69Au, 0x00000FCEu),
  uvec2(0xDC49DB87u, 0x00000036u),
  uvec2(0x9062FFE9u, 0x00000000u),
  uvec2(0x0129F65Eu, 0x00000000u),
  uvec2(0x0001E3AAu, 0x00000000u));
// 2**(i / 16); 63 bits behind the point.
const int X_ROOTS_TERMS = 16;
const uvec2 X_ROOTS[16] = uvec2[](
  uvec2(0x00000000u, 0x80000000u),
  uvec2(0xCC487B15u, 0x85AAC367u),
  uvec2(0xEA8BD6E7u, 0x8B95C1E3u),
  uvec2(0xAB11C336u, 0x91C3D373u),
  uvec2(0x8DB8A96Fu, 0x9837F051u),
  uvec2(0x91A111AEu, 0x9EF53260u),
  uvec2(0xB15138EAu, 0xA5FED6A9u),
  uvec2(0x42A14AC6u, 0xAD583EEAu),
  uvec2(0xF9DE6484u, 0xB504F333u),
  uvec2(0x580C36BFu, 0xBD08A39Fu),
  uvec2(0x5506DADDu, 0xC5672A11u),
  uvec2(0x1F8480E4u, 0xCE248C15u),
  uvec2(0xD69D6AF4u, 0xD744FCCAu),
  uvec2(0x2A94E111u, 0xE0CCDEECu),
  uvec2(0xDD24392Fu, 0xEAC0C6E7u),
  uvec2(0x2486CC2Cu, 0xF5257D15u));
// 16 (2**(u / 16) - 1) / u; 64 bits behind the point.
const int X_EXP2_TERMS = 8;
const uvec2 X_EXP2[8] = uvec2[](
  uvec2(0xD1CF79ACu, 0xB17217F7u),
  uvec2(0xF058B1D7u, 0x03D7F7BFu),
  uvec2(0x6B82503Bu, 0x000E3584u),
  uvec2(0x56DF75C1u, 0x00002765u),
  uvec2(0x61FF99B0u, 0x00000057u),
  uvec2(0xA1849306u, 0x00000000u),
  uvec2(0x00FFDABEu, 0x00000000u),
  uvec2(0x000169A7u, 0x00000000u));
// sqrt(1 / 2); 64 bits behind the point.
const uvec2 X_SQRT_HALF = uvec2(0xF9DE6484u, 0xB504F333u);
// log2((1 + y) / (1 - y)) / y in y**2; 126 bits behind the point.
const int X_LOG2_WIDE_TERMS = 8;
const uvec4 X_LOG2_WIDE[8] = uvec4[](
  uvec4(0x69203DF4u, 0xBE87FED0u, 0x5C17F0BBu, 0xB8AA3B29u),
  uvec4(0xC560760Cu, 0x3F82AA44u, 0x7407FAE9u, 0x3D8E13B8u),
  uvec4(0xA07E8C3Eu, 0x594E6D16u, 0xDF37FCF2u, 0x24EED8A1u),
  uvec4(0x23E59D95u, 0x64418192u, 0x7ADED93Fu, 0x1A61762Au),
  uvec4(0x0AE54B93u, 0xA1DDD072u, 0x7C02A8F8u, 0x1484B13Du),
  uvec4(0x96245C70u, 0x2E197DEFu, 0x94022CE4u, 0x10C9A849u),
  uvec4(0xA9E81D4Bu, 0x3767FEA5u, 0x698BE6C9u, 0x0E347AB4u),
  uvec4(0x47A26241u, 0xCCAE87E9u, 0x4A49E44Du, 0x0C4F9D8Bu));
// the same, from y**16 on; 62 bits behind the point.
const int X_LOG2_TERMS = 7;
const uvec2 X_LOG2[7] = uvec2[](
  uvec2(0xC5CF0BD9u, 0x0ADCD64Du),
  uvec2(0x662A6314u, 0x09B81E0Cu),
  uvec2(0x11D45C53u, 0x08CB280Au),
  uvec2(0x1B8985DFu, 0x08074EFFu),
  uvec2(0xB455CC32u, 0x07655179u),
  uvec2(0x6E045B3Cu, 0x06AFDA52u),
  uvec2(0x48F8E089u, 0x07D8AB61u));
