#!/bin/sh
# The whole comparison: every task, every method, every figure of the report.
#
#     tools/reproduce.sh DATA [RUNS]
#
# DATA has the folders mnist, fsdd and noise. What is finished is not done again, and what was
# interrupted goes on after its last round: give the same command again. JOBS runs train side by
# side, one thread each (by default as many as there are cores); with a GPU, JOBS=1 does.
# A failed job does not stop the others; the last line counts them.
set -eu

data=$1
runs=${2:-runs}
python=${PYTHON:-.venv-tools/bin/python}
jobs=${JOBS:-$(nproc)}
tasks=${TASKS:-live published hard clean}
baselines="labels experts hinton transfer transport pretext"
ablations="without_conditioning without_alignment with_instances without_cross_modal without_gates"

mkdir -p "$runs/logs"
failed=0

# Runs the commands on standard input, $jobs at a time, each with its output in a log.
side_by_side() {
    xargs -P "$jobs" -I '{}' sh -c '{}' || failed=$((failed + 1))
}

teach() { # task branch
    echo "[ -s $runs/$1/teacher.pt ] || $python -m tools.teach --data $data --task $1" \
        "--run $runs/$1 --only $2 >$runs/logs/teach-$1-$2.log 2>&1"
}

join() { # task
    echo "[ -s $runs/$1/teacher.pt ] || $python -m tools.teach --data $data --task $1" \
        "--run $runs/$1 >$runs/logs/teach-$1.log 2>&1"
}

student() { # task method
    options="--data $data --task $1 --run $runs/$1 --method $2"
    echo "[ -s $runs/$1/$2/answers.npz ] || { echo $1 $2;" \
        "$python -m tools.distil $options && $python -m tools.convert $options" \
        "&& $python -m tools.evaluate $options; } >$runs/logs/$1-$2.log 2>&1"
}

for task in $tasks; do
    teach "$task" audio
    teach "$task" visual
done | side_by_side
for task in $tasks; do join "$task"; done | side_by_side

# One run a task first: it asks the teacher about everything, which the others look up.
for task in $tasks; do student "$task" ra_cmkd; done | side_by_side
for task in $tasks; do
    for method in $baselines; do student "$task" "$method"; done
done | side_by_side
for ablation in $ablations; do student published "ra_cmkd_$ablation"; done | side_by_side

for protocol in clean published; do
    echo "$python -m tools.speakers --data $data --protocol $protocol" \
        "--out $runs/speakers.jsonl >$runs/logs/speakers-$protocol.log 2>&1"
done | side_by_side
echo "$python -m tools.adapt_precision --data $data --task live --run $runs/live" \
    ">$runs/logs/precision.log 2>&1" | side_by_side
echo "$python -m tools.gating --data $data --bundle $runs/live/ra_cmkd/bundle" \
    "--run $runs/gating >$runs/logs/gating.log 2>&1" | side_by_side

"$python" -m tools.report --runs "$runs" --out "$runs/report.html"
echo "$failed groups of jobs failed; logs are in $runs/logs, the report is $runs/report.html"
[ "$failed" -eq 0 ]
