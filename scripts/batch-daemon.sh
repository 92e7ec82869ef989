#!/bin/sh
# The scheduler of the project that the current folder lies in, in the foreground.
#
# Environment: POLL_INTERVAL, seconds between looks at schedule.json (10; events never wait for it); VERBOSE=true
# reports phases, too. SIGTERM and SIGINT pause the schedule; running phases come to their end.
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

if [ "$#" -gt 0 ]; then
    echo 'ERROR: batch-daemon.sh takes no arguments' >&2
    echo 'Usage: batch-daemon.sh' >&2
    exit 1
fi

set -- "--poll=${POLL_INTERVAL:-10}"
[ "${VERBOSE:-}" != true ] || set -- "$@" --verbose
_wf_batch_become batch daemon "$@"
