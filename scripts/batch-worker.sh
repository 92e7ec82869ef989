#!/bin/sh
# A worker of the project that the current folder lies in, in the foreground: batch-worker.sh <worker-number>
#
# Environment: POLL_INTERVAL, seconds between looks at what may have escaped it (5; events never wait for it);
# VERBOSE=true shows the agent's output, too; MAX_STEP_FAILURES and CLEANUP_WORKTREE (true or false) stand in for
# batch.max_step_failures and batch.cleanup_worktree of the configuration. SIGTERM and SIGINT end the phase that runs
# with all it started; its work goes back to pending.
set -eu

_wf_batch_file=$0
while [ -L "$_wf_batch_file" ]; do
    # The mark keeps line ends at the end of a name.
    _wf_batch_link=$(readlink "$_wf_batch_file" && echo .)
    _wf_batch_link=${_wf_batch_link%??}
    case $_wf_batch_link in
    /*) _wf_batch_file=$_wf_batch_link ;;
    *) _wf_batch_file=${_wf_batch_file%"${_wf_batch_file##*/}"}$_wf_batch_link ;;
    esac
done
case $_wf_batch_file in
*/*) ;;
*) _wf_batch_file=./$_wf_batch_file ;;
esac
# shellcheck source=/dev/null
. "${_wf_batch_file%/*}/batch-utils.sh"

if [ "$#" -gt 1 ]; then
    echo 'ERROR: batch-worker.sh takes one argument' >&2
    echo 'Usage: batch-worker.sh <worker-number>' >&2
    exit 1
fi
if [ -z "${1:-}" ]; then
    echo 'ERROR: worker number is required' >&2
    echo 'Usage: batch-worker.sh <worker-number>' >&2
    exit 1
fi

set -- "--poll=${POLL_INTERVAL:-5}" -- "$1"
[ "${VERBOSE:-}" = true ] || set -- --quiet "$@"
[ -z "${MAX_STEP_FAILURES:-}" ] || set -- "--max-step-failures=$MAX_STEP_FAILURES" "$@"
case ${CLEANUP_WORKTREE:-} in
'') ;;
true) set -- --cleanup-worktree=true "$@" ;;
*) set -- --cleanup-worktree=false "$@" ;;
esac
_wf_batch_become batch worker "$@"
