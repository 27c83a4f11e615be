"""Why a number is what it is: claims in words, and derivations step by step."""
