"""What people say for the things of the world, one file a language: plain tables, read by `..lexicon`.

WORDS: slot -> value -> phrases, parted by commas; a word that ends in ~ stands for its forms with each of ENDINGS.
ARTICLES, PREPOSITIONS, GLUE: words that mean nothing here, but show where a noun begins. AFTER: whether an adjective
stands after its noun. NEAR: words that the models don't know -> the English word of the world that is nearest.
The slots are those of `lexicon.Entry`. English adds only what the world's own captions do not say.
"""
