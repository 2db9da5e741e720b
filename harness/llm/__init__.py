"""Language models behind systems: backbones, prompts, adapters, and scores and lists of labelled candidates."""
