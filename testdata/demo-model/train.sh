#!/bin/sh
# Makes the demo model anew: train.sh FOLDER [options of train.py]. The folder takes 2.1 GB, for 250 million tokens of
# each length of rows: MILLIONS=1 takes less. PAGES=500 of each kind are asked about in the end.
set -e
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
work=${1:?usage: train.sh FOLDER [options of train.py]}
shift
python=${PYTHON:-python3}
"$python" -c 'import numpy, torch' || {
  echo "train.sh: $python needs PyTorch (on Debian python3-torch); PYTHON=FILE names another" >&2
  exit 2
}
mkdir -p "$work"

"$root/kv4j" --version # builds it
java -cp "$root/apps/target/kv4j.jar" kv4j.apps.facts.TrainingData "$work/rows" 1 "${MILLIONS:-250}"
"$python" "$here/train.py" "$work/rows" "$work/demo-32" "$@"
cp "$work/rows/tokenizer.json" "$work/rows/tokenizer_config.json" "$work/demo-32"
"$root/kv4j" export --model "$work/demo-32" --type q8_0 --gguf "$work/demo-32.gguf" --force
for facts in 10 30; do
  "$root/kv4j" eval --model "$work/demo-32.gguf" --pages "${PAGES:-500}" --facts $facts
done
