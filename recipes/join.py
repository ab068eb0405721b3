"""Puts what the stages of recipes/gpu.sh left into a model folder: python3 recipes/join.py OUT MODELS"""

import sys

from mediagen.parcel import unpack_all

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print("joined", ", ".join(unpack_all(sys.argv[1], sys.argv[2])))  # noqa: T201
