"""Shell scripts: words, variables, arrays, arithmetic and launchers; nothing is run."""

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers.syntax import shell_words
from decaycalc.training.trainers.syntax.arithmetic import calculate
from decaycalc.training.trainers.syntax.launchers import launch
from decaycalc.training.trainers.syntax.shell import read_commands
from decaycalc.training.trainers.syntax.tree import Items, Scalar, find


def only(text):
    (command,) = read_commands(text, "run.sh")
    return command


def words(text):
    return [word.text for word in only(text).words]


def flag(text, name):
    node = find(launch(only(text)).flags, name)
    if isinstance(node, Items):
        return [part.text for part in node.items]
    return node.text if isinstance(node, Scalar) else node


def test_a_quote_with_escapes_ends_at_its_own_end():
    assert words("IFS=$'\\n\\t'\np --a $'it\\'s' --b 2") == ["p", "--a", "it\\'s", "--b", "2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p --a 1 # --a 2", ["p", "--a", "1"]),
        ("p --a \\\n  1", ["p", "--a", "1"]),
        ("p --a 'x y' \"z $UNSET\"", ["p", "--a", "x y", "z $UNSET"]),
        ('p --a "b\\"c"', ["p", "--a", 'b"c']),
        ("p --a b\\ c", ["p", "--a", "b c"]),
        ("p --a b\\\nc", ["p", "--a", "bc"]),
        ('A=1\np --a $A "${A}2"', ["p", "--a", "1", "12"]),
        ("p --a ${A:-7} ${B-8}", ["p", "--a", "7", "8"]),
        ('A="--b 1"\np --a $A', ["p", "--a", "--b", "1"]),
        ('A="--b \'"\np --a $A', ["p", "--a", "--b", "'"]),
        ("A=(--b 1)\nA+=(--c)\np --a x ${A[@]}", ["p", "--a", "x", "--b", "1", "--c"]),
        ('A=(--b "1 2")\np --a x "${A[@]}"', ["p", "--a", "x", "--b", "1 2"]),
        (
            "A=(\n  --b 1 # one\n)\np --a x ${A[@]} ${A[1]} ${A[9]}",
            ["p", "--a", "x", "--b", "1", "1"],
        ),
        ("A=x\nA+=y\np --a $A ${#A[@]}", ["p", "--a", "xy", "1"]),
        ('A=(1 2)\np --a "${A[*]}"', ["p", "--a", "1 2"]),
        ("I=1\nA=(1 2 3)\np --a ${A[$I]} ${A[I + 1]} ${A[-1]}", ["p", "--a", "2", "3", "3"]),
        ("A=(1 2)\np --a ${A[$TASK]}", ["p", "--a", "${A[$TASK]}"]),
        ("A=(1 2)\np --a ${A[${TASK}]}", ["p", "--a", "${A[${TASK}]}"]),
        ('A=(["x"]=1 [y]=2)\np --a ${A[x]} ${A[0]}', ["p", "--a", "${A[x]}", "${A[0]}"]),
        ("declare -r A=1\ntypeset -x -i B=2\np --a $A $B", ["p", "--a", "1", "2"]),
        (
            "declare -A A=([x]=1)\ndeclare -A B\nB[x]=2\np --a ${B[x]} ${A[x]}",
            ["p", "--a", "2", "1"],
        ),
        (
            'declare -A A=(["x"]=1 [y]=2 [$T]=3)\nK=y\np --a "${A[$K]}" ${A[\'x\']} ${A[z]:-5}',
            ["p", "--a", "2", "1", "5"],
        ),
        ("N=4\np --a $[32/$N]", ["p", "--a", "8"]),
        ("for a in {5,}; do\np --a $a\ndone", ["p", "--a", "5"]),
        ("for a in {5,6}; do\np --a $a\ndone", ["p", "--a", "$a"]),
        ("for a in {1..3}; do\np --a $a\ndone", ["p", "--a", "$a"]),
        ("A=1\nfor a in 1 2; do\nA=${A}2\np --a $A  # cut off here", ["p", "--a", "$A2"]),
        ("declare -A A=([x]=1)\np --a ${A[z]} ${A[@]}", ["p", "--a", "${A[z]}", "${A[@]}"]),
        ("A=(1 2)\nA[1]=5\np --a ${A[@]}", ["p", "--a", "1", "5"]),
        ("A=(1 2)\nA[x]=5\np --a ${A[0]}", ["p", "--a", "$A"]),
        ("export A=3; p --a $((A * 2 + 1))", ["p", "--a", "7"]),
        ("p --a $((UNSET * 2))", ["p", "--a", "$((UNSET * 2))"]),
        ("p --a $(date +%s) `id`", ["p", "--a", "$(date +%s)", "$(id)"]),
        ("p --a $((1 + (2)))", ["p", "--a", "3"]),
        ("cat <<EOF\np --a 2\nEOF\np --a 1", ["p", "--a", "1"]),
        ("if true; then p --a 1; fi", ["p", "--a", "1"]),
        ("p --a ''", ["p", "--a", ""]),
        ('E=()\np --a 1 "${E[@]}"', ["p", "--a", "1"]),
        ("p --a ${!x}", ["p", "--a", "${!x}"]),
        ("p --a 1 > log 2>&1", ["p", "--a", "1"]),
        ("p --a 1 >log 2> $ERR &", ["p", "--a", "1"]),
        ("p --a 1 >& log", ["p", "--a", "1"]),
        ("p --a 1 &>> $LOG/a", ["p", "--a", "1"]),
        ("p > $LOG --a 1 2>err", ["p", "--a", "1"]),
        ("p --a '> 1'", ["p", "--a", "> 1"]),
        ('p --a x">y"', ["p", "--a", "x>y"]),
        ("! grep x y &>/dev/null &&\necho no && exit 1\np --a 1", ["p", "--a", "1"]),
        ("(p --a 1)", ["p", "--a", "1"]),
        ("p --a 1 && echo done", ["p", "--a", "1"]),
        ('p --a "one\ntwo"', ["p", "--a", "one\ntwo"]),
        ('p --a "one\\\ntwo"', ["p", "--a", "onetwo"]),
        ("p --a '$A'", ["p", "--a", "$A"]),
        ("N=4\np --a $(expr 32 / $N \\* 2)", ["p", "--a", "16"]),
        ("p --a $(expr 32 / $N)", ["p", "--a", "$(expr 32 / $N)"]),
        ("p --a $(date)", ["p", "--a", "$(date)"]),
    ],
)
def test_a_command_line_is_expanded_as_the_shell_does(text, expected):
    assert words(text) == expected


def test_what_is_only_known_at_run_time_is_open():
    command = only("p --lr $1")
    assert "only known when the script runs" in command.words[-1].open
    assert find(launch(command).flags, "lr").text is None


def test_lines_are_those_of_the_words():
    assert only("\n\nA='x\ny'\np --a 1").words[0].line == 5


def test_an_arrays_words_keep_their_own_lines():
    text = "A=(\n  --lr 1\n  --wd 'x y'\n)\nA+=(--b 2)\np ${A[@]}\np --c \"${A[@]}\"\n"
    split, whole = read_commands(text, "run.sh")
    assert [word.line for word in whole.words if word.text[0] == "-"] == [7, 2, 3, 5]
    assert {word.line for word in split.words} == {6}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("p --a 'x", "a quote without its end"),
        ("IFS=$'\\n\np --a 1", "a quote without its end"),
        ('p --a "x', "a quote without its end"),
        ("p --a ${x", "without its }"),
        ("echo hello", "no command with options"),
    ],
)
def test_broken_scripts_are_refused(text, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        read_commands(text, "run.sh")


def test_endless_scripts_are_refused(monkeypatch):
    monkeypatch.setattr(shell_words, "_MOST_WORDS", 5)
    with pytest.raises(UnreadableFileError, match="more than 5 words"):
        read_commands("A=(1 2 3 4 5 6)", "run.sh")


def test_a_variable_does_not_grow_without_end():
    text = "A=" + "x" * 60_000 + "\n" + "A+=$A\n" * 5 + "p --a 1"
    assert words(text) == ["p", "--a", "1"]


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("python t.py --lr-base=1e-3", "lr_base", "1e-3"),
        ("python t.py --flag --other 2", "flag", "true"),
        ("python t.py --betas 0.9 0.95 --x", "betas", ["0.9", "0.95"]),
        ("python t.py --min -1", "min", "-1"),
        ("python t.py --a 1 optimizer.lr=1e-4", "optimizer.lr", "1e-4"),
        ("python t.py --a 1 +x=2", "x", "2"),
        ("python t.py --a 1 ++x=$1", "x", None),
        ("python -m pkg.train --lr 1", "lr", "1"),
        ("torchrun --nnodes 2 t.py --lr 1", "nnodes", None),
    ],
)
def test_flags_become_a_tree(text, name, value):
    assert flag(text, name) == value


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("torchrun --nproc_per_node 4 --nnodes=2 t.py --a 1", "8"),
        ("torchrun --nproc-per-node 4 t.py --a 1", "4"),
        ("torchrun --nproc_per_node gpu t.py --a 1", None),
        ("torchrun --nproc_per_node 4 --nnodes 1:2 t.py --a 1", None),
        ("torchrun --nproc_per_node 4 --nnodes $N t.py --a 1", None),
        ("NPROC_PER_NODE=4 NNODES=2 llamafactory-cli train a.yaml", "8"),
        ("CUDA_VISIBLE_DEVICES=0,1 llamafactory-cli train a.yaml", "2"),
        ("NNODES=$N NPROC_PER_NODE=4 llamafactory-cli train a.yaml", None),
        ("llamafactory-cli train a.yaml", None),
        ("python -m torch.distributed.launch --nproc_per_node=2 t.py --a 1", "2"),
        ("accelerate launch --num_processes 8 t.py --a 1", "8"),
        ("accelerate launch t.py --a 1", None),
        ("deepspeed --num_gpus 4 --num_nodes 2 t.py --a 1", "8"),
        ("deepspeed --include localhost:0,1,2 t.py --a 1", "3"),
        ("deepspeed --include localhost t.py --a 1", None),
        ("deepspeed t.py --a 1", None),
        ("#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=4\nsrun python t.py --a 1", "8"),
        ("#SBATCH --nodes=2\n#SBATCH --gres=gpu:a100:4\nsrun python t.py --a 1", "8"),
        ("#SBATCH --gres=cpu:4\nsrun python t.py --a 1", None),
        ("#SBATCH -N 2\n#SBATCH --gpus-per-node 4\nsrun python t.py --a 1", "8"),
        ("#SBATCH --nodes=4\ntorchrun --nnodes $SLURM_NNODES --nproc_per_node 8 t.py", "32"),
        (
            (
                "#SBATCH -N 2\n#SBATCH --gres=gpu:a100:4\nG=$SLURM_GPUS_ON_NODE\n"
                "accelerate launch --num_processes $((G * SLURM_JOB_NUM_NODES)) t.py --a 1"
            ),
            "8",
        ),
        (
            "#SBATCH --gpus-per-node=h100:8\ntorchrun --nproc_per_node $SLURM_GPUS_PER_NODE t.py",
            "8",
        ),
        (
            "#SBATCH --nodes=2-4\ntorchrun --nnodes $SLURM_NNODES --nproc_per_node 8 t.py",
            None,
        ),
        ("srun -n 6 python t.py --a 1", "6"),
        ("mpirun -np 6 python t.py --a 1", "6"),
        ("#SBATCH --nodes=2\npython t.py --a 1", None),
        ("./distributed_train.sh 4 /imagenet --a 1", "4"),
        ("./distributed_train.sh $N /imagenet --a 1", None),
        ("./distributed_train.sh --a 1", None),
        ("CUDA_VISIBLE_DEVICES=0,1 python t.py --a 1", "2"),
        ("CUDA_VISIBLE_DEVICES=$GPUS python t.py --a 1", None),
        ("python t.py --a 1", None),
    ],
)
def test_the_launcher_tells_the_number_of_devices(text, devices):
    found = launch(only(text)).devices
    assert (None if found is None else found.text) == devices


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("8 - 2 - 1", 5),
        ("$N * ${N}", 25),
        ("1 / 0", None),
        ("2 ** 3", None),
        ("(2", None),
        ("2 +", None),
        ("2 3", None),
        ("M", None),
        ("", None),
        ("2 @ 3", None),
        ("9" * 60 + " * " + "9" * 60, None),
        ("-" * 300 + "1", None),
        ("(" * 150 + "1" + ")" * 150, None),
    ],
)
def test_arithmetic_is_the_shells_or_unknown(text, value):
    assert calculate(text, {"N": "5"}.get) == value


@pytest.mark.parametrize(
    "text",
    [
        "CMD=\"t.py --a 1 \\\n  --b 2\"\nsrun --jobid 7 bash -c 'python -u $CMD' 2>&1 | tee log",
        'CMD="t.py --a 1 --b 2"\nsrun --jobid 7 sh -c "python $CMD --rank \\$ID" > log',
        'cmd="torchrun t.py --a 1 --b 2 &> log_$(date +%s).txt"\necho ${cmd}\neval ${cmd}',
        "cmd='python t.py --a 1'\nbash -lc \"eval $cmd --b 2\"",
        'ARGS="--a 1 --name $(date +%s x) --b 2"\npython t.py $ARGS',
    ],
)
def test_commands_within_commands_are_read(text):
    found = only(text)
    assert (flag(text, "a"), flag(text, "b")) == ("1", "2")
    assert found.line == text.count("\n", 0, text.rindex("\n") + 1) + 1


def test_a_command_that_evaluates_itself_ends():
    text = "x='eval $x --a 1'\neval $x"
    with pytest.raises(UnreadableFileError, match="no command with options"):
        read_commands(text, "run.sh")


def test_what_a_run_would_tell_stays_one_piece():
    text = "N=$((A / B / 2))\np --n $N --m ${N}x --k 1"
    assert (flag(text, "n"), flag(text, "m"), flag(text, "k")) == (None, None, "1")
    assert flag("p --a 1 --echo 2; echo --b 3", "a") == "1"


def test_a_line_s_end_within_quotes_is_counted_and_kept_after_a_backslash_before_others():
    assert words('p --a "b\\xc" --d') == ["p", "--a", "bxc", "--d"]


def test_a_default_may_be_set_for_good_and_hold_other_variables():
    text = ": ${LR:=3e-4} ${WD:=0.1}\nA=2\npython t.py --lr $LR --wd ${WD} --n ${B:-${A}0}"
    assert [flag(text, name) for name in ("lr", "wd", "n")] == ["3e-4", "0.1", "20"]
    deep = "p --a ${A:-${B:-${C:-${D:-${E:-1}}}}}"
    assert flag(deep, "a") is None
    assert flag("p --a ${A:-x\\} --b 1", "a") == "x\\"


def test_a_heredoc_that_a_variable_reads_is_its_text():
    text = (
        "read -r -d '' job <<EOF\nmine.train \\\n --name \"a b\" --lr $LR\nEOF\n"
        "LR=1\ndeepspeed --module $job --last 1"
    )
    assert launch(only(text)).program == "mine.train"
    assert (flag(text, "name"), flag(text, "lr"), flag(text, "last")) == ("a b", None, "1")


def test_what_tests_a_file_is_no_command():
    assert words('if [ ! -f "t.py" ]; then\nexit 1\nfi\npython t.py --a 1')[-1] == "1"


@pytest.mark.parametrize(
    "guard",
    [
        "if [ $# -ne 2 ]; then\necho use\nexit 1\nfi",
        'if [ -z "${BASE}" ]; then exit 1; fi',
        'if [ -z "${BASE:-}" ]; then exit 1; fi',
        'if [[ "x$1" == x ]]; then exit 1; fi',
        "if [ 1 = 2 ]; then echo; elif [ $# = 0 ]; then exit 1; fi",
        'if [ -n "$1" ]; then echo; else exit 1; fi',
        "[ $# -eq 2 ] || exit 1",
        'A=${A:-}\nif [ -z "$A" ]; then exit 1; fi',
        'A=\nwhile [ $# -gt 0 ]; do\nA=$1\nshift\ndone\n[ -n "$A" ] || { echo use; exit 1; }',
        "use() { exit 1; }\nif [ -f x ]; then use; fi",
        'use() { exit 1; }\nif [ -z "$A" ]; then use; fi',
    ],
)
def test_what_a_caller_is_to_set_ends_no_script(guard):
    assert words(f"{guard}\npython t.py --a 1")[-1] == "1"


def test_what_a_script_sets_ends_it():
    text = "A=1\nif [ $A = 2 ]; then echo; elif [ $A = 1 ]; then\np --a 1\nexit\nfi\np --a 2"
    assert words(text)[-1] == "1"


@pytest.mark.parametrize(
    ("words", "pairs"),
    [
        ("--cfg a.yaml NUM_SHARDS 2 TRAIN.X 3 GPUS 4", {"cfg": "a.yaml", "NUM_SHARDS": "2",
                                                        "TRAIN.X": "3", "GPUS": "4"}),
        ("--config-file a.yaml OUTPUT_DIR out A.B 1", {"config_file": "a.yaml", "OUTPUT_DIR": "out",
                                                       "A.B": "1"}),
        ("--opts DTYPE float16 --lr 1", {"opts": "true", "DTYPE": "float16", "lr": "1"}),
        ("--optimizer ADAMW GPUS", {"optimizer": None}),
        ("--lr 1 A.B 1 GPUS", {"lr": "1", "A.B": "1"}),
    ],
)  # fmt: skip
def test_a_yacs_key_of_no_section_is_known_by_its_place(words, pairs):
    (command,) = read_commands(f"python train.py {words}\n", "run.sh")
    found = launch(command).flags.entries
    assert {name: getattr(node, "text", None) for name, node in found.items()} == pairs
