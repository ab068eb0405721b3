#!/usr/bin/env bash
# Trains the built-in models from nothing on a CPU of two cores: about three core hours with AMX,
# not timed as a whole. Any line that was stopped goes on where it was when it is run again.
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

again() { # NAME FOLDER [settings]: the same, from the weights in MODELS/FOLDER on
  local name=$1 folder=$2
  shift 2
  mediagen train "$name" --out "$runs/$name-again" --start "$models/$folder" --into "$models" --model "$models" "$@"
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
train video &   # the long one
train audio --set seconds=2 --set 'windows=[1.0,2.0]' --set singles=0 --set clips=3000 --set batch=32 --set steps=4300 --set longest=250
wait
train sound-scorer # needs the codec and the aligned encoder
again tae tae --set steps=2300 --set lr=0.0005 --set warmup=100 --set fit_clips=0   # its latents move: the video model follows
again video video --set steps=4700 --set lr=0.0008 --set warmup=100 --set past=0.2 &
again audio audio &
wait
mediagen export --model "$models" -o "$models"   # the decoders as ONNX files; needs the extra onnx
mediagen bench --model "$models" -o "$runs/bench" --prompts 500
