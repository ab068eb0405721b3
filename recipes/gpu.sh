#!/usr/bin/env bash
# Trains the models of 128x128 pixels (preset standard) on one large GPU, an H100 or H200, in seven stages of nine minutes
# at most. Nothing is installed and nothing is fetched: python3 with torch, transformers, einops, safetensors, pillow
# and typer is enough to train; what a stage leaves is judged where pydantic is there too.
#
#   bash recipes/gpu.sh OUT [STAGE] [FROM] [--toy] [--set TRAINING.KEY=VALUE ...]
#
# STAGE: 1 autoencoder, 2 readers, 3 video (may be called again, goes on), 4 codec, 5 audio, 6 fast
# (the video model in eight steps), 7 edits; without it all of them.
# A stage reads the parcels of earlier stages in FROM (by default OUT), and leaves OUT/STAGE-NAME/ with its own: weights
# in files below 16 MiB, figures, pictures, logs. `python3 recipes/join.py OUT MODELS` makes the model folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
mkdir "$package/mediagen" # the folders beside mediagen/ are its sub-packages: links stand in for an installation
ln -s "$root"/mediagen/* "$root"/{audio,edit,personalize,sdk} "$package/mediagen/"
export PYTHONPATH="$package:$root/recipes${PYTHONPATH:+:$PYTHONPATH}" PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1
"${PYTHON:-python3}" "$root/recipes/gpu.py" "$@"
