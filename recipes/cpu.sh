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

# Edits by instruction, of the whole world at 128x128 pixels: models of the second generation, in a folder of their own
here=$(dirname "$0")
outer=$models models=$models/edits
mkdir -p "$models"
cp -rn "$here"/../mediagen/pretrained/edits/{engine.json,tae,prompt} "$models" # their trainings stand in the notes
python3 "$here/shallower.py" "$here/standard/video" "$runs/video-4" 0 2 5 7
train edit-tasks --preset standard & # a quarter of an hour beside the others
train recogniser --out "$runs/recogniser-edits" --preset standard --set 'size=[128,128]' --set standard=1.0 --set lr=0.002
wait
# On two processes (torchrun), so that a step had twice the batch; the shipped frames had focus=0 up to step 2,400.
# The shipped weights began when standard/video had seen pictures alone, and then went on with both stages on a GPU, see
# the training notes ("Editing").
train edit --preset standard --start "$runs/video-4" --stages frames,films --set depth=4 --set 'size=[128,128]' --set clips=0 \
  --set focus=4 --set frames.pairs=10240 --set frames.batch=32 --set frames.lr=0.0008 --set frames.steps=3400 \
  --set films.pairs=704 --set films.batch=8 --set films.lr=0.0005 --set films.steps=1900
models=$outer

train faces         # and the next two: people in clips, not timed as a whole
train face-encoder
train personalize --start "$models/video"
train upsample-tae --start "$models/edits/tae" --set steps=1 # the autoencoder of films, folded to frames
train upsample      # an hour on one core with AVX512-BF16
train rewrite       # a student of the rules by which prompts are read; the rules are what runs
train sound-scorer # needs the codec and the aligned encoder
mediagen export --model "$models" -o "$models"   # the decoders as ONNX files; needs the extra onnx
mediagen bench --model "$models" -o "$runs/bench" --prompts 500
