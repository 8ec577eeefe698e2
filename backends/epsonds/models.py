"""What is known of Epson's ESC/I-2 scanners: ids, names, gamma tables, quirks. Data, no code.

A line "profile:" of epsonds.conf adds a row to MODELS. Source: specification esci 4.5, 4.9, 5.2.
"""

from __future__ import annotations

# USB product id, name shown (and sent by DNS-SD as mdl), what the scanner calls itself in INFO if
# that differs, gamma tables. The first row with a scanner's own name counts.
MODELS: tuple[tuple[int, str, str, int], ...] = (
    (0x0145, "DS-5500", "", 7),
    (0x0145, "DS-6500", "", 7),
    (0x0145, "DS-7500", "", 7),
    (0x0146, "DS-50000", "", 7),
    (0x0146, "DS-60000", "", 7),
    (0x0146, "DS-70000", "", 7),
    (0x014C, "DS-510", "", 7),
    (0x014D, "DS-760", "", 7),
    (0x014D, "DS-860", "", 7),
    (0x0150, "DS-560", "", 7),
    (0x0152, "DS-40", "", 7),
    (0x0154, "DS-520", "", 7),
    (0x0155, "DS-530", "", 2),
    (0x0156, "ES-400", "", 2),
    (0x0157, "DS-570W", "", 2),
    (0x0157, "ES-500W", "", 2),
    (0x0159, "DS-310", "", 5),
    (0x0159, "ES-200", "", 5),
    (0x015A, "DS-360W", "", 5),
    (0x015A, "ES-300W", "", 5),
    (0x015C, "DS-1630", "", 4),
    (0x015D, "DS-1610", "", 4),
    (0x015E, "DS-1660W", "", 4),
    (0x0160, "DS-70", "", 6),
    (0x0162, "DS-320", "", 5),
    (0x0165, "DS-410", "", 7),
    (0x0166, "DS-80W", "", 6),
    (0x0167, "DS-535", "", 2),
    (0x0169, "DS-575W", "", 2),
    (0x016B, "FF-680W", "", 2),
    (0x016C, "ES-50", "", 6),
    (0x016D, "ES-55R", "", 6),
    (0x016E, "ES-60W", "", 6),
    (0x016E, "ES-60WW", "", 6),
    (0x016E, "ES-60WB", "", 6),
    (0x016F, "ES-65WR", "", 6),
    (0x0176, "ES-500WR", "", 2),
    (0x0177, "ES-300WR", "", 5),
    (0x017A, "DS-535H", "", 2),
    (0x017F, "ES-580W", "", 2),
    (0x0180, "RR-600W", "", 2),
    (0x0181, "ES-400II", "", 2),
    (0x0182, "DS-530II", "", 2),
    (0x0183, "DS-535II", "", 2),
    (0x0184, "DS-531", "", 2),
    (0x0185, "ES-500WII", "", 2),
    (0x0186, "DS-570WII", "", 2),
    (0x0187, "DS-575WII", "", 2),
    (0x0188, "DS-571W", "", 2),
    (0x018B, "RR-70W", "", 6),
    (0x018C, "RR-60", "", 6),
    (0x018F, "DS-C330", "", 5),
    (0x0191, "DS-C490", "", 5),
    (0x0193, "ES-C220", "", 5),
    (0x08BC, "PX-M7050 Series", "PID 08BC", 7),
    (0x08BC, "WF-8510 Series", "PID 08BC", 7),
    (0x08BC, "WF-8590 Series", "PID 08BC", 7),
    (0x08CC, "PX-M7050FX Series", "PID 08CC", 7),
    (0x08CC, "WF-R8590 Series", "PID 08CC", 7),
    (0x1135, "ET-2700 Series", "PID 1135", 7),
    (0x1135, "L4150 Series", "PID 1135", 7),
    (0x1143, "L3150 Series", "PID 1143", 7),
    (0x1143, "ET-2710 Series", "PID 1143", 7),
    (0x114A, "ET-M2140 Series", "PID 114A", 7),
    (0x114A, "M2140 Series", "PID 114A", 7),
    (0x114E, "EW-052A Series", "PID 114E", 7),
    (0x114E, "XP-2100 Series", "PID 114E", 7),
    (0x114F, "ET-M3140 Series", "PID 114F", 7),
    (0x114F, "M3140 Series", "PID 114F", 7),
    (0x118A, "ET-2810 Series", "PID 118A", 7),
    (0x118A, "L3250 Series", "PID 118A", 7),
    (0x119B, "XP-2150 Series", "PID 119B", 7),
    (0x11B1, "XP-2200 Series", "PID 11B1", 7),
)

# By name shown: image data are asked for in blocks of 256 KiB instead of 1 MiB.
SMALL_BLOCKS = ("DS-70", "ES-65WR", "ES-60W", "DS-80W", "ES-55R", "ES-50")

# By name shown: the feeder turns the back of a sheet, so that its image comes upside down.
TURNS_BACK = ("DS-1630", "DS-1610", "DS-1660W")

# The colour correction of all models but those without gamma tables: nine numbers, and their frame.
COLOR_MATRIX = bytes.fromhex("200184001F00000024000000")

# Gamma tables by their number in MODELS; 0 changes nothing. Each is so many zeros, the values that
# follow, and 255 for the rest. RED and BLU are as MONO where they are not given, GRN always is.
GAMMA: dict[int, dict[str, tuple[int, str, int]]] = {
    2: {
        "MONO": (
            39,
            "010203040507080a0c0e1012141616191b1d1f21232527282a2c2e3032333537393a3c3e40414345"
            "46484a4b4d4f5052535557585a5b5d5f606263656668696b6c6e6f7172747577787a7b7d7e808183"
            "848687888a8b8d8e90919294959798999b9c9e9fa0a2a3a5a7a9aaabadaeb0b1b2b4b5b6b8b9babc"
            "bdbec0c1c2c4c5c6c8c9cacccdced0d1d2d4d5d6d7d9dadbdddedfe1e2e3e4e6e7e8e9ebecedeff0"
            "f1f2f4f5f6f7f9fafbfcfe",
            46,
        ),
        "RED": (
            38,
            "010203040507080a0c0e10121416191b1d1f21232527282a2c2e3032333537393a3c3e4041434546"
            "484a4b4d4f5052535557585a5b5d5f606263656668696b6c6e6f7172747577787a7b7d7e80818384"
            "8687888a8b8d8e90919294959798999b9c9e9fa0a2a3a5a6a7a9aaabadaeb0b1b2b4b5b6b8b9babc"
            "bdbec0c1c2c4c5c6c8c9cacccdced0d1d2d4d5d6d7d9dadbdddedfe1e2e3e4e6e7e8e9ebecedeff0"
            "f1f2f4f5f6f7f9fafbfcfefe",
            46,
        ),
    },
    4: {
        "MONO": (
            45,
            "010203040507080a0c0e10121416181a1c1e20222426282a2b2d2f3133343638393b3d3e40424345"
            "47484a4b4d4f505253555658595b5d5e606163646667696a6b6d6e707173747677797a7b7d7e8081"
            "83848587888a8b8c8e8f909293959697999a9b9d9e9fa1a2a3a5a6a7a9aaabadaeafb1b2b3b5b6b7"
            "b9babbbdbebfc0c2c3c4c6c7c8c9cbcccdcfd0d1d2d4d5d6d7d9dadbdcdedfe0e1e3e5e6e8e9eaeb"
            "edeeeff0f2f3f4f5f6f8f9fafbfdfe",
            36,
        ),
        "RED": (
            43,
            "010203040507080a0c0e10121416181a1c1e20222426282a2b2d2f3133343638393b3d3e40424345"
            "47484a4b4d4f505253555658595b5d5e606163646667696a6b6d6e707173747677797a7b7d7e8081"
            "83848587888a8b8c8e8f909293959697999a9b9d9e9fa1a2a3a5a6a7a9aaabadaeafb1b2b3b5b6b7"
            "b9babbbdbebfc0c2c3c4c6c7c8c9cbcccdcfd0d1d2d4d5d6d7d9dadbdcdedfe0e1e3e4e5e6e8e9ea"
            "ebebedeeeff0f2f3f4f5f6f8f9fafbfdfe",
            36,
        ),
        "BLU": (
            44,
            "010203040507080a0c0e10121416181a1c1e20222426282a2b2d2f3133343638393b3d3e40424345"
            "47484a4b4d4f505253555658595b5d5e606163646667696a6b6d6e707173747677797a7b7d7e8081"
            "83848587888a8b8c8e8f909293959697999a9b9d9e9fa1a2a3a5a6a7a9aaabadaeafb1b2b3b5b6b7"
            "b9babbbdbebfc0c2c3c4c6c7c8c9cbcccdcfd0d1d2d4d5d6d7d9dadbdcdedfe0e1e3e4e5e6e8e9ea"
            "ebedeeeff0f2f3f4f5f6f8f9fafbfdfe",
            36,
        ),
    },
    5: {
        "MONO": (
            40,
            "010203040507080a0c0e10121416181a1c1e20222426282a2b2d2f3133343638393b3d3e40424345"
            "47484a4b4d4f505253555658595b5d5e606163646667696a6b6d6e707173747677797a7b7d7e8081"
            "83848587888a8b8c8e8f909293959697999a9b9d9e9fa1a2a3a5a6a7a9aaabadaeafb1b2b3b5b6b7"
            "b9babbbdbebfc0c2c3c4c6c7c8c9cbcccdcfd0d1d2d4d5d6d7d9dadbdcdedfe0e3e4e5e6e8e9eaeb"
            "edeeeff0f2f3f4f5f6f8f9fafbfdfe",
            41,
        ),
        "RED": (
            38,
            "010203040507080a0c0e10121416181a1c1e20222426282a2b2d2f3133343638393b3d3e40424345"
            "47484a4b4d4f505253555658595b5d5e606163646667696a6b6d6e707173747677797a7b7d7e8081"
            "83848587888a8b8c8e8f909293959697999a9b9d9e9fa1a2a3a5a6a7a9aaabadaeafb1b2b3b5b6b7"
            "b9babbbdbebfc0c2c3c4c6c7c8c9cbcccdcfd0d1d2d4d5d6d7d9dadbdcdedfe0e1e3e4e5e6e8e9ea"
            "ebedeeeff0f2f3f4f5f6f8f9fafbfdfe",
            42,
        ),
        "BLU": (
            39,
            "010203040507080a0c0e1012141616181a1c1e20222426282a2b2d2f3133343638393b3d3e404243"
            "4547484a4b4d4f505253555658595b5d5e606163646667696a6b6d6e707173747677797a7b7d7e80"
            "8183848587888a8b8c8e8f909293959697999a9b9d9e9fa1a3a5a6a7a9aaabadaeafb1b2b3b5b6b7"
            "b9babbbdbebfc0c2c3c4c6c7c8c9cbcccdcfd0d1d2d4d5d6d7d9dadbdcdedfe0e1e3e4e5e6e8e9ea"
            "ebedeeeff0f2f3f4f5f6f8f9fafbfdfe",
            41,
        ),
    },
    6: {
        "MONO": (
            22,
            "010203040507080a0c0e1012141618181a1c1e2022242627292b2c2e303133353638393b3c3e4041"
            "43444547484a4b4d4e50515254555658595b5c5d5f60616364656768696a6c6d6e70717273757677"
            "787a7b7c7d7e8081828385868788898a8c8d8e8f90929394959697999a9b9c9d9e9fa1a2a3a4a5a6"
            "a7a8aaabacadaeafb0b1b2b3b5b6b7b8b9babbbcbdbebfc0c2c4c5c6c7c8c9cacbcccdcecfd0d1d2"
            "d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafb"
            "fcfdfe",
            31,
        ),
        "RED": (
            23,
            "010203040506080a0c0e10121416191b1d1f20222426282a2b2d2f3132343537393a3c3d3f414244"
            "4547484a4b4d4e4f515254555758595b5c5e5f606263646667686a6b6c6e6f70727374757778797b"
            "7c7d7e8081828385868788898b8c8d8e9091929394969798999a9b9d9e9fa0a1a2a4a5a6a7a8a9ab"
            "acadaeafb0b1b2b4b5b6b7b8b9babbbdbebfc0c1c2c3c4c5c6c8c9cacbcccdcecfd0d1d2d3d4d6d7"
            "d8d9dadbdcdddedfe0e1e2e3e4e5e6e7eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfe",
            36,
        ),
        "BLU": (
            21,
            "010203040507080a0c0e10121416181a1c1e2022242627292b2c2e303133353638393b3c3e404143"
            "444547484b4d4e50515254555658595b5c5d5f60616364656768696a6c6d6e70717273757677787a"
            "7b7c7d7e8081828385868788898a8c8d8e8f9092939495969697999a9b9c9d9e9fa1a2a3a4a5a6a7"
            "a8aaabacadaeafb0b1b2b3b5b6b7b8b9babbbcbdbebfc0c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2"
            "d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafb"
            "fcfdfefe",
            31,
        ),
    },
    7: {
        "MONO": (
            38,
            "01020304050607090b0c0e10121416181a1c1e2021232527282a2c2d2f3132343637393b3c3e3f41"
            "42444547484a4b4d4e505153545657595a5c5d5f606163646667686a6b6d6e6f717273757678797a"
            "7c7d7e80818284858688898a8b8d8e8f919293959697989a9b9c9e9fa0a1a3a4a5a6a8a9aaabadae"
            "afb0b2b3b4b5b7b8b9babcbdbebfc0c2c3c4c5c7c8c9cacbcdcecfd0d1d3d4d5d6d7d9dadbdcddde"
            "e0e1e2e3e4e6e7e8e9eaebedeeeff0f1f2f3f5f6f7f8f9fafcfdfe",
            31,
        ),
    },
}
