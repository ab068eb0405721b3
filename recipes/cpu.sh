#!/usr/bin/env bash
# Trains the built-in models from nothing on a CPU of two cores: about three core hours with AMX,
# not timed as a whole, nor run as a whole in this order: the built-in autoencoder had its second stage after the first
# of the video model. Any line that was stopped goes on where it was when it is run again.
#
#   bash recipes/cpu.sh MODELS [RUNS]      MODELS: the model folder to fill; RUNS: checkpoints and previews
set -euo pipefail
models=${1:?the model folder to fill}
runs=${2:-runs}
export OMP_WAIT_POLICY=PASSIVE OMP_NUM_THREADS=1

train() { # NAME [settings]: one training, its result placed in the model folder
  local name=$1
  shift
  mediagen train "$name" --out "$runs/$name" --into "$models" --model "$models" "$@"
}

mkdir -p "$models"
cp -n "$(dirname "$0")/../mediagen/pretrained/engine.json" "$models/"

train prompt    # five minutes: reads captions, named attributes and hidden words
train tae &     # side by side: pictures on one core, sound on the other
train codec
train recogniser
train sound-recogniser
train aligned
wait
train video &   # the long one; its stages, and those of tae and audio, stand in sdk/models/trainings.py
train audio &
wait
train distil --start "$models/video"   # eight steps in place of fifty with guidance; then "fast_steps": 8 in engine.json
train edit-tasks # edits by instruction: not part of the built-in models, and not run as a whole yet
train edit --start "$models/video"
train faces         # and the next two: people in clips, not timed as a whole
train face-encoder
train personalize --start "$models/video"
train upsample-tae --start "$(dirname "$0")/standard/tae" --set steps=1 # the autoencoder of films, folded to frames
train upsample      # an hour on one core with AVX512-BF16
train rewrite       # a student of the rules by which prompts are read; the rules are what runs
train sound-scorer # needs the codec and the aligned encoder
mediagen export --model "$models" -o "$models"   # the decoders as ONNX files; needs the extra onnx
mediagen bench --model "$models" -o "$runs/bench" --prompts 500
