"""Language models behind systems: backbones, prompts, adapters, and scores of lettered candidates."""
