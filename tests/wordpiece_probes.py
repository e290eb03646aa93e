"""Texts in many scripts, for tokenizers to be compared on."""

# Sentences of each script, as people write them.
SENTENCES = {
    "latin": [
        "The quick brown fox doesn't jump over the lazy dog's back.",
        "El niño comió piñas; ¿cuánto costó la excursión a Córdoba?",
        "Füße, Mädchen, Straße: schöne Grüße aus Köln!",
        "Où est l'été dernier à Noël ? Ça coûte 3,50 €.",
        "Příliš žluťoučký kůň úpěl ďábelské ódy.",
        "İstanbul'da ılık bir akşam, IĞDIR.",
        "Đường phố Hà Nội đông người quá.",
        "ÅNGSTRÖM naïve façade coöperate",
    ],
    "cyrillic": [
        "Съешь ещё этих мягких французских булок, да выпей чаю.",
        "Мой йод стоит 5 гривень — їжак і ґава.",
        "Ђорђе и Љубица иду у школу.",
    ],
    "greek": [
        "Ο Οδυσσέας ταξίδεψε για πολλά χρόνια.",
        "ΟΔΥΣΣΕΥΣ ΚΑΙ ΣΊΣΥΦΟΣ",
        "Ἐν ἀρχῇ ἦν ὁ λόγος",
    ],
    "hebrew": ["שלום עולם, מה שלומך?", "בְּרֵאשִׁית בָּרָא אֱלֹהִים", "צה״ל ת׳"],
    "arabic": ["مرحبا بالعالم، كيف حالك؟", "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ", "می‌خواهم کتاب بخوانم", "ﻻ ٣٤٥"],
    "devanagari": ["नमस्ते दुनिया, आप कैसे हैं?", "हिन्दी में क़लम।", "क्षत्रिय ज्ञान १२३"],
    "bengali": ["আমার সোনার বাংলা, আমি তোমায় ভালোবাসি।", "কোথায় যাচ্ছেন?"],
    "tamil": ["வணக்கம் உலகம்", "தமிழ் மொழி அழகானது."],
    "telugu": ["నమస్కారం ప్రపంచం", "తెలుగు భాష"],
    "thai": ["สวัสดีชาวโลก", "ภาษาไทยไม่มีช่องว่างระหว่างคำ ๓ บาท", "น้ำ"],
    "georgian": ["გამარჯობა მსოფლიო", "ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ"],
    "armenian": ["Բարեւ աշխարհ։", "ԵՐԵՎԱՆ և Գյումրի"],
    "ethiopic": ["ሰላም ልዑል፡፡", "አማርኛ ቋንቋ፣ ነው።"],
    "han": ["你好，世界！今天天气很好。", "繁體中文與𠮷野家", "我有3个apple和一只cat"],
    "kana": [
        "こんにちは、世界！",
        "カタカナとひらがながあります",
        "ｶﾞｷﾞ ㌔ がぎ",
        "東京タワーへ行きました。",
    ],
    "hangul": ["안녕하세요 세계", "한국어는 재미있어요!", "서울 가나다 ㄱㄴ"],
    "khmer": ["សួស្តី\u200bពិភពលោក", "ភាសាខ្មែរ"],
    "tibetan": ["བཀྲ་ཤིས་བདེ་ལེགས།"],
    "myanmar": ["မင်္ဂလာပါ ကမ္ဘာလောက"],
}

# What files bring along: spaces, controls, marks, symbols.
ODD = [
    "",
    " ",
    "no-break\N{NO-BREAK SPACE}space, and\N{NARROW NO-BREAK SPACE}narrow",
    "ideographic\N{IDEOGRAPHIC SPACE}space",
    "line\N{LINE SEPARATOR}separator and\N{PARAGRAPH SEPARATOR}paragraph",
    "next\N{NEXT LINE}line",
    "thin\N{THIN SPACE}em\N{EM SPACE}ogham\N{OGHAM SPACE MARK}math\u205fspace",
    "tab\tnew\nline\r\nend\x0bvertical\x0cfeed",
    "before\x00after NUL",
    "bell\x07 escape\x1b[0m delete\x7f c1\x80\x9f",
    "zero\N{ZERO WIDTH SPACE}width\N{ZERO WIDTH JOINER}join\N{ZERO WIDTH NON-JOINER}er",
    "\N{ZERO WIDTH NO-BREAK SPACE}byte order mark",
    "soft\N{SOFT HYPHEN}hyphen",
    "right\N{RIGHT-TO-LEFT MARK}left\N{LEFT-TO-RIGHT MARK}marks\N{POP DIRECTIONAL FORMATTING}",
    "replacement \N{REPLACEMENT CHARACTER} character",
    "private \ue000 use \U000f0000",
    "noncharacter \ufdd0 \uffff",
    "decomposed cafe\N{COMBINING ACUTE ACCENT} Zo\N{COMBINING DIAERESIS}e",
    "z\N{COMBINING ACUTE ACCENT}\N{COMBINING GRAVE ACCENT}\N{COMBINING ENCLOSING CIRCLE}algo",
    "\N{COMBINING ACUTE ACCENT} alone",
    "ligatures ﬁ ﬂ ǆ ĳ œ æ",
    "fullwidth ＡＢＣ ｗｏｒｄ １２３ ！",
    "superscript x² H₂O ½ № ™ ℃ Ω Å",
    "math 𝐛𝐨𝐥𝐝 𝒾𝓉𝒶𝓁𝒾𝒸 ∑ ∞ ≠ √2",
    "emoji 😀 👍🏽 👨‍👩‍👧‍👦 🇩🇪 ❤️ ☃",
    "“quotes” ‘single’ «guillemets» „low“ ‹x›",
    "dashes - ‐ – — ― … ‥ · •",
    "currency $5.00 €5 £5 ¥5 ₹5 ₿1",
    "ascii !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "##hash ##s # ## tag#ged",
    "e-mail me@example.com, see https://example.com/a_b?c=d&e=f#g",
    "CamelCase snake_case kebab-case C++ C# .NET 3.14159 1,000,000",
    "don't can't they're 'tis o'clock rock'n'roll",
    "a" * 99 + " " + "b" * 100 + " " + "c" * 101,
    "é" * 100 + " " + "é" * 101,
    "ก" * 60 + " " + "ก" * 101,
    "x" * 50 + "\N{COMBINING ACUTE ACCENT}" * 60,
    "the[UNK]the [ SEP ] <s> </s> <mask>",
    "ǅ ǈ ϴ ẞ K Å ꭰ Ꭰ",
    "roman Ⅷ ⅷ circled ⓐ Ⓐ ① ㊗",
    "deseret 𐐀 𐐨 linear b 𐀀 cuneiform 𒀀 hieroglyph 𓀀",
    "cherokee ᎣᏏᏲ mongolian ᠮᠣᠩᠭᠣᠯ lao ສະບາຍດີ sinhala ආයුබෝවන් gurmukhi ਸਤ ਸ੍ਰੀ ਅਕਾਲ",
    "gujarati નમસ્તે kannada ನಮಸ್ಕಾರ malayalam നമസ്കാരം odia ନମସ୍କାର",
    "two  spaces   three",
    " leading and trailing ",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
]

# Each sentence whole, in capitals, word by word without its spaces, and decomposed.
PROBES = [
    *ODD,
    *(
        made
        for sentences in SENTENCES.values()
        for sentence in sentences
        for made in (sentence, sentence.upper(), sentence.replace(" ", ""), f"({sentence}) 7x")
    ),
]
