# shellcheck shell=sh
# Every function of batch-utils.sh, in the shell that runs this; says what is not as it should be, then "done".
# UTILS is the file to source, OTHER a shell; the schedule is W1 <- W2, W3 to W5.
# shellcheck source=/dev/null
. "$UTILS"

check() {
    [ "$2" = "$3" ] || printf 'NOT OK: %s: <%s>, wanted <%s>\n' "$1" "$2" "$3"
}

# What it prints, then its status.
say() {
    if "$@"; then echo "=0"; else echo "=$?"; fi
}

# Its status, and the first line of what it complains of.
complaint() {
    if complaint_of=$("$@" 2>&1 >/dev/null); then echo "=0"; else echo "=$?"; fi
    printf '%s\n' "$complaint_of" | head -n 1
}

# Everything it complains of.
complaints() {
    if complaints_of=$("$@" 2>&1 >/dev/null); then echo "=0"; else printf '%s\n' "$complaints_of"; fi
}

of_work() {
    jq -r ".works.$1.$2" .wf/schedule.json
}

# shellcheck disable=SC2016
hostile='-x "q" '\''s'\'' $(touch pwned) `touch pwned` \n %s * ü
second; touch pwned'

check 'next' "$(say wf_batch_get_next_work)" 'W1
=0'
check 'not running' "$(say wf_batch_is_running)" '=1'
check 'claim' "$(say wf_batch_claim_work W1 7)" '=0'
check 'running' "$(say wf_batch_is_running)" '=0'
check 'claimed' "$(jq -c '.execution.sessions["worker-7"] | [.work_id, .status]' .wf/schedule.json)" '["W1","running"]'
check 'claimed already' "$(complaint wf_batch_claim_work W1 8)" '=1'
# shellcheck disable=SC2016 # The message has backquotes.
check 'has one already' "$(complaints wf_batch_claim_work W3 7)" 'ERROR: worker-7 already has a work
complete or fail that one first; if nobody works on it any more, `wf_batch_release_worker 7` or `wf0 work release worker-7` takes it back'
check 'unknown' "$(complaint wf_batch_claim_work W9 8)" "=1
ERROR: there is no work 'W9' in the schedule"
for function in claim_work complete_work deps_resolved create_worktree; do
    check "$function of another case" "$(complaints "wf_batch_$function" w3 8)" \
        "ERROR: there is no work 'w3' in the schedule
did you mean W3?"
done
check 'waits' "$(complaint wf_batch_claim_work W2 8)" "=1
ERROR: 'W2' still waits for 1 of its dependencies"
check 'no arguments' "$(complaint wf_batch_claim_work)" "=1
ERROR: '' cannot name a work: it is empty"
check 'no worker' "$(complaint wf_batch_claim_work W3 x)" '=1
ERROR: Invalid worker number: x'
for function in claim_work complete_work release_worker deps_resolved get_branch_name cleanup_worktree; do
    check "$function of a hostile id" "$(complaint "wf_batch_$function" "$hostile" "$hostile" | head -n 1)" '=1'
done
check 'deps open' "$(say wf_batch_deps_resolved W2)" '=1'
check 'deps none' "$(say wf_batch_deps_resolved W1)" '=0'
check 'deps of nothing' "$(complaint wf_batch_deps_resolved W9 | head -n 1)" '=1'
check 'progress' "$(wf_batch_get_progress)" '{"total":5,"completed":0,"in_progress":1,"pending":4}'
check 'not its worker' "$(complaint wf_batch_complete_work W1 8)" "=1
ERROR: worker-8 has no claim on 'W1'"
check 'not its worker either' "$(complaint wf_batch_fail_work W1 8 no | head -n 1)" '=1'

# Worktrees.
check 'branch' "$(say wf_batch_get_branch_name FEAT-123-auth)" 'feat/123-auth
=0'
for elsewhere in "$PWD" /; do
    check 'no worktree to push from' "$(complaint wf_batch_push_changes W3 "$elsewhere" | head -n 1)" '=1'
done
for none in wf_batch_push_changes wf_batch_invoke_claude; do
    check "$none: no worktree" "$(complaint $none W3)" "=1
ERROR: no worktree of 'W3' was given"
    check "$none: an empty worktree" "$(complaint $none W3 '')" "=1
ERROR: no worktree of 'W3' was given"
done
check 'no work to push' "$(complaint wf_batch_push_changes)" "=1
ERROR: '' cannot name a work: it is empty"
worktree=$(wf_batch_create_worktree W1 "$(wf_batch_get_branch_name W1)")
check 'worktree' "$worktree" "$(pwd -P)/.worktrees/feat-W1"
check 'found again' "$(say wf_batch_create_worktree W1 feat/W1)" "$worktree
=0"
check 'branch of the worktree' "$(git -C "$worktree" symbolic-ref --short HEAD)" 'feat/W1'
check 'recorded' "$(of_work W1 worktree_path)" '.worktrees/feat-W1'
(
    mkdir "$worktree/below"
    cd "$worktree/below" || exit
    check 'from a worktree' "$(wf_batch_get_progress)" '{"total":5,"completed":0,"in_progress":1,"pending":4}'
    echo 'to be lost' >"$worktree/file"
)
check 'would lose' "$(complaint wf_batch_cleanup_worktree W1 | head -n 1)" '=1'
check 'is kept' "$(cat "$worktree/file")" 'to be lost'
git -C "$worktree" add . && git -C "$worktree" commit -qm 'W1'
check 'push' "$(say wf_batch_push_changes W1 "$worktree")" '=0'
check 'pushed' "$(git ls-remote origin feat/W1 | cut -f 1)" "$(git rev-parse feat/W1)"
check 'pushed already' "$(say wf_batch_push_changes W1 "$worktree")" '=0'
check 'clean up' "$(say wf_batch_cleanup_worktree W1)" '=0'
[ ! -e "$worktree" ] && [ ! -e .worktrees/.trash ] || echo 'NOT OK: the worktree is still there'
check 'nothing to clean up' "$(say wf_batch_cleanup_worktree W1)" '=0'
check 'no folder to push from' "$(complaint wf_batch_push_changes W1 "$worktree" | head -n 1)" '=1'
worktree=$(wf_batch_create_worktree W3 my/own)
check 'a branch of its own' "$(git -C "$worktree" symbolic-ref --short HEAD)" 'my/own'
check 'on another branch' "$(complaints wf_batch_create_worktree W3 feat/no | sed 's/.*feat-W3 is/it is/')" \
    "it is on the branch 'my/own' at $(git rev-parse --short=10 my/own), not on 'feat/no': that branch does not exist
make that branch there (\`git switch -c feat/no\`), then run \`wf0 batch resume\`"
check 'pushed by its own name' "$(say wf_batch_push_changes W3 "$worktree" && git ls-remote origin my/own | wc -l | tr -d ' ')" '=0
1'
check 'cleaned up' "$(say wf_batch_cleanup_worktree W3)" '=0'
check 'a hostile branch' "$(complaint wf_batch_create_worktree W3 "$hostile" | head -n 1)" '=1'
check 'no such work' "$(complaint wf_batch_create_worktree W9 '')" "=1
ERROR: there is no work 'W9' in the schedule"
for branch in feat/W5 feat/w5; do
    check 'the branch of another work' "$(complaint wf_batch_create_worktree W3 $branch)" "=1
ERROR: $branch is the branch of 'W5', not of 'W3'"
done
check 'nothing is made' "$(git branch --list 'feat/*[359]' && ls .worktrees)" ''

# Outcomes.
check 'complete' "$(say wf_batch_complete_work W1 worker-7)" '=0'
check 'completed' "$(of_work W1 status)" 'completed'
check 'deps done' "$(say wf_batch_deps_resolved W2)" '=0'
check 'claim' "$(say wf_batch_claim_work W2 worker-7)" '=0'
check 'release' "$(say wf_batch_release_worker 7)" '=0'
check 'released' "$(of_work W2 status)" 'pending'
check 'nothing to release' "$(say wf_batch_release_worker 7)" '=0'
check 'claim' "$(say wf_batch_claim_work W2 7)" '=0'
check 'fail' "$(say wf_batch_fail_work W2 7 "$hostile")" '=0'
check 'failed' "$(of_work W2 error)" "$hostile"
check 'claim' "$(say wf_batch_claim_work W4 7)" '=0'
long=$(head -c 300000 /dev/zero | tr '\0' x)
check 'fail at length' "$(say wf_batch_fail_work W4 7 "$long")" '=0'
check 'failed at length' "$(of_work W4 'error | length')" '300000'

# The schedule.
check 'update' "$(say wf_batch_update_schedule '.works.W3.priority = 42 | .mine = "a\"b"')" '=0'
check 'updated' "$(jq -c '[.works.W3.priority, .mine]' .wf/schedule.json)" '[42,"a\"b"]'
for wrong in '' '{' 'empty' '.,.' '7' '.works.W3 = 7' '.works = {}' '.status = "completed"' 'error("x")' \
    '.works.W3.priority = 1 | error("x")' '(.works.W3.priority = 1), error("x")' \
    '.works.W3.priority = 1 | .works.W3.status = "running"' '.works.W3.dependencies = ["W5"] | .works.W5.dependencies = ["W3"]'; do
    check "refused: $wrong" "$(complaint wf_batch_update_schedule "$wrong" | head -n 1)" '=1'
done
check 'no expression' "$(complaint wf_batch_update_schedule)" '=1
ERROR: there is no jq expression'
check 'refused: a dependency on itself' "$(complaints wf_batch_update_schedule '.works.W3.dependencies += ["W5", "W3"]')" \
    "ERROR: 'W3' can't depend on itself
nothing was changed; leave it out of what the expression makes"
check 'refused: no schedule' "$(complaints wf_batch_update_schedule '.works = 7' | sed 's/line.*column [0-9]*//')" \
    'ERROR: the result of the jq expression  at works: the number 7, expected an object with a work under each identifier
nothing was changed; correct what the expression makes'
check 'refused: another name' "$(complaints wf_batch_update_schedule '.works.W3.work_id = "W4"')" \
    "ERROR: the result of the jq expression has work_id 'W4' under the key 'W3'
make both the same, or leave work_id out"
# In the words of whichever jq is there; an escape in it is shown as what it is.
why=$(complaints wf_batch_update_schedule "$(printf '.works |\n no_such_filter # \033[31m')")
case $why in
"ERROR: the expression failed: "*"no_such_filter/0 is not defined"*" # [31m
nothing was changed; correct the expression") ;;
*) printf 'NOT OK: why it failed: <%s>\n' "$why" ;;
esac
check 'no control characters' "$(printf '%s' "$why" | LC_ALL=C tr -d '\001-\011\013-\037\177')" "$why"
check 'why it failed' "$(complaints wf_batch_update_schedule '"a" | debug | error("b\u001b[31m")' | grep -c 'jq: error.*: b\[31m')" '1'
check 'unchanged' "$(of_work W3 priority) $(of_work W3 'dependencies | length')" '42 0'
check 'failed to pending' "$(say wf_batch_update_schedule '.works.W4.status = "pending" | .works.W4.priority = 0')" '=0'
check 'is next' "$(wf_batch_get_next_work)" 'W4'
check 'paused' "$(say wf_batch_update_schedule '.status = "paused"')" '=0'
check 'nothing is next' "$(say wf_batch_get_next_work)" '=0'
check 'nothing is claimed' "$(complaint wf_batch_claim_work W4 7)" '=1
ERROR: the batch is paused'
check 'running' "$(say wf_batch_update_schedule '.status = "running"')" '=0'
check 'the last ones' "$(for id in W3 W4 W5; do wf_batch_claim_work $id 7 && wf_batch_complete_work $id 7 || echo no; done)" ''
check 'the end' "$(jq -r .status .wf/schedule.json)" 'failed'
check 'ended' "$(say wf_batch_is_running)" '=1'

# Issues.
check 'id' "$(say wf_batch_generate_work_id 123 'Add login')" 'FEAT-123-add-login
=0'
check 'id of a type' "$(wf_batch_generate_work_id 123 "$hostile" FIX)" 'FIX-123-x-q-s-touch-pwned-touch-pwned'
check 'id of a long title' "$(wf_batch_generate_work_id '#7' "$long")" 'FEAT-7-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
check 'id of other letters' "$(wf_batch_generate_work_id 7 'ログイン')" 'FEAT-7'
check 'id at Jira' "$(say wf_batch_generate_work_id PROJ-7 'Add login' JIRA)" 'JIRA-PROJ-7-add-login
=0'
for wrong in '../x' 'abc' '#' '1.5' '-1' '7-' 'PROJ-' '-7' 'PROJ-7x'; do
    check "no id: $wrong" "$(complaint wf_batch_generate_work_id "$wrong" 'Add login')" "=1
ERROR: '$wrong' is no number of an issue"
done
check 'no number' "$(complaint wf_batch_generate_work_id '' 'Add login')" "=1
ERROR: '' is no number of an issue"
check 'nothing at all' "$(say wf_batch_generate_work_id 2>/dev/null)" '=1'
check 'no id of a wrong type' "$(complaint wf_batch_generate_work_id 7 'Add login' '../x' | head -n 1)" '=1'
check 'dependencies' "$(say wf_batch_detect_dependencies 'Depends on #12 and PROJ-7.
Blocked by: other/name#3. Blocks #4, see #5; touch pwned \n')" '["12","PROJ-7","other/name#3"]
=0'
check 'no dependencies' "$(wf_batch_detect_dependencies "$hostile")" '[]'
check 'no dependencies at all' "$(wf_batch_detect_dependencies '')" '[]'
check 'dependencies in a long text' "$(wf_batch_detect_dependencies "$long

Depends on #1")" '["1"]'

# The rest.
check 'log' "$(wf_batch_log WARN "$hostile" | sed 's/[0-9]/9/g')" \
    "[9999-99-99 99:99:99] [WARN] $(printf '%s' "$hostile" | tr '\n' ' ')"
check 'a long line' "$(wf_batch_log WARN "$long" | wc -c | tr -d ' ')" '300030'
check 'agent' "$(say wf_batch_invoke_claude W3 "$PWD" | sed -n '1,2p;$p')" '--print
/wf0-nextstep W3
=0'
check 'its place and work' "$(wf_batch_invoke_claude W3 .wf where)" "$(pwd -P)/.wf W3 where"
check 'its command' "$(wf_batch_invoke_claude W3 "$PWD" "$hostile" | sed -n '2,3p')" "/$hostile W3"
check 'its failure' "$(say wf_batch_invoke_claude W3 "$PWD" fail)" '=1'
check 'nowhere' "$(complaint wf_batch_invoke_claude W3 "$PWD/nowhere" | head -n 1)" '=1'
[ ! -e pwned ] || echo 'NOT OK: something was run'
check 'works left' "$(git status --short)" ''
echo 'done'
