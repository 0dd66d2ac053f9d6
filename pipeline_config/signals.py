"""The numbers that `score` measures of every document, by name; `dedup.keep_score` is one of them.

They stand here since settings are checked before any stage is loaded; a test compares them with
what the stage measures.
"""

SIGNALS = (
    "num_chars",
    "num_all_words",
    "num_words",
    "mean_word_length",
    "hash_to_word_ratio",
    "ellipsis_to_word_ratio",
    "bullet_line_fraction",
    "ellipsis_line_fraction",
    "alpha_word_fraction",
    "num_stop_words",
    "dup_paragraph_fraction",
    "dup_paragraph_char_fraction",
    "dup_line_fraction",
    "dup_line_char_fraction",
    *(f"top_{n}_gram_char_fraction" for n in (2, 3, 4)),
    *(f"dup_{n}_gram_char_fraction" for n in (5, 6, 7, 8, 9, 10)),
    "num_c4_lines",
    "num_c4_sentences",
    "num_c4_spaced_sentences",
    "num_lorem_ipsum_lines",
    "num_curly_bracket_lines",
    "fineweb_v1_marked_line_fraction",
    "fineweb_v1_short_line_fraction",
    "fineweb_v2_marked_line_fraction",
    "fineweb_v2_short_line_fraction",
    "fineweb_dup_line_char_fraction",
    "newline_to_word_ratio",
    "language_score",
)
