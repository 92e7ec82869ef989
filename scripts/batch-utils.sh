# shellcheck shell=sh
# To be sourced: the operations of a worker as functions of the shell, so that a script can be a worker of a batch.
#
#   wf_batch_get_next_work                          the id that would be dispatched next, or nothing
#   wf_batch_claim_work ID WORKER                   0 if that worker has it now; 1 if it was not pending
#   wf_batch_complete_work ID WORKER                it is done; 1 if that worker doesn't have it
#   wf_batch_fail_work ID WORKER MESSAGE            it failed; 1 if that worker doesn't have it
#   wf_batch_release_worker WORKER                  gives back what that worker has, if anything
#   wf_batch_deps_resolved ID                       0 if every dependency is completed
#   wf_batch_is_running                             0 if the schedule is running
#   wf_batch_get_progress                           {"total":…,"completed":…,"in_progress":…,"pending":…}
#   wf_batch_update_schedule JQ-EXPRESSION          applies it to schedule.json: all of it or nothing
#   wf_batch_lock, wf_batch_unlock                  a lock among scripts; gone when the shell ends
#   wf_batch_create_worktree ID BRANCH              makes or finds the worktree, prints its absolute path
#   wf_batch_cleanup_worktree ID                    removes it; 1 and kept where something in it would be lost
#   wf_batch_get_branch_name ID                     feat/123-auth
#   wf_batch_push_changes ID WORKTREE               pushes the branch; 0 also where there is nothing to push
#   wf_batch_generate_work_id NUMBER TITLE [PREFIX] FEAT-123-add-login
#   wf_batch_detect_dependencies TEXT               what an issue with that text waits for, as a JSON array
#   wf_batch_log LEVEL MESSAGE                      [2026-01-26 10:00:00] [LEVEL] MESSAGE
#   wf_batch_invoke_claude ID WORKTREE [COMMAND]    runs the agent there with /COMMAND ID
#
# All is decided by wf0, found through WF0_BIN, beside this file, or on PATH. Where a shell does not tell a sourced
# file its place, WF_BATCH_DIR does. Functions give 0 or 1 and say on standard error what went wrong. Nothing is changed but the
# functions and variables whose names begin with _wf_batch_.

# Where this file lies, links resolved; empty where the shell doesn't tell.
_wf_batch_find_dir() {
    _wf_batch_file=
    if [ -n "${WF_BATCH_DIR:-}" ]; then
        _wf_batch_file=$WF_BATCH_DIR/batch-utils.sh
    elif [ -n "${BASH_VERSION:-}" ]; then
        eval '_wf_batch_file=${BASH_SOURCE:-}'
    elif [ -n "${ZSH_VERSION:-}" ]; then
        # Not %x, which shows line ends as \n. In a subshell, for it takes a module.
        # shellcheck disable=SC2016
        _wf_batch_file=$(
            eval 'zmodload -F zsh/parameter p:funcsourcetrace && set -- "${funcsourcetrace[@]}" && printf %s. "${1%:*}"'
        )
        _wf_batch_file=${_wf_batch_file%.}
    else
        case ${KSH_VERSION:-} in
        Version*) eval '_wf_batch_file=${.sh.file}' ;;
        esac
    fi
    _wf_batch_follow
    case $_wf_batch_file in
    */batch-utils.sh | batch-utils.sh) ;;
    *)
        _wf_batch_file=$0
        _wf_batch_follow
        _wf_batch_file=${_wf_batch_file%"${_wf_batch_file##*/}"}batch-utils.sh
        _wf_batch_follow
        ;;
    esac
    _wf_batch_dir=
    [ -f "$_wf_batch_file" ] || return 0
    case $_wf_batch_file in
    */*) _wf_batch_dir=${_wf_batch_file%/*}/ ;;
    *) _wf_batch_dir=./ ;;
    esac
    # Absolute, for the caller may go elsewhere. The mark keeps line ends at the end of a name.
    _wf_batch_dir=$(CDPATH='' cd -- "$_wf_batch_dir" >/dev/null 2>&1 && pwd -P && echo .) || _wf_batch_dir=
    _wf_batch_dir=${_wf_batch_dir%??}
}

# Resolves links of the file itself; those of folders are the system's.
_wf_batch_follow() {
    _wf_batch_links=0
    while [ -L "$_wf_batch_file" ] && [ "$_wf_batch_links" -lt 40 ]; do
        _wf_batch_links=$((_wf_batch_links + 1))
        _wf_batch_link=$(readlink "$_wf_batch_file" && echo .) || return 0
        _wf_batch_link=${_wf_batch_link%??}
        case $_wf_batch_link in
        /*) _wf_batch_file=$_wf_batch_link ;;
        *) _wf_batch_file=${_wf_batch_file%"${_wf_batch_file##*/}"}$_wf_batch_link ;;
        esac
    done
}

_wf_batch_find_dir

# Finds wf0 for _wf_batch_wf0. At each call: WF0_BIN may be set later.
_wf_batch_find() {
    if [ -n "${WF0_BIN:-}" ]; then
        _wf_batch_bin=$WF0_BIN
        case $WF0_BIN in
        */*) [ -f "$WF0_BIN" ] && [ -x "$WF0_BIN" ] && return 0 ;;
        *) command -v "$WF0_BIN" >/dev/null 2>&1 && return 0 ;;
        esac
        printf 'ERROR: WF0_BIN is no program: %s\n' "$WF0_BIN" >&2
        echo 'set it to the program wf0, or unset it' >&2
        return 1
    fi
    if [ -n "${_wf_batch_dir:-}" ]; then
        _wf_batch_bin=$_wf_batch_dir/../target/release/wf0
        [ -f "$_wf_batch_bin" ] && [ -x "$_wf_batch_bin" ] && return 0
        _wf_batch_bin=$_wf_batch_dir/../bin/wf0
        [ -f "$_wf_batch_bin" ] && [ -x "$_wf_batch_bin" ] && return 0
    fi
    _wf_batch_bin=wf0
    command -v wf0 >/dev/null 2>&1 && return 0
    echo 'ERROR: the program wf0 was not found' >&2
    echo 'put it on PATH, set WF0_BIN to it, or set WF_BATCH_DIR to the folder of batch-utils.sh' >&2
    return 1
}

# Runs wf0, whatever functions the caller has. Gives 0 or 1.
_wf_batch_wf0() {
    _wf_batch_find || return 1
    command "$_wf_batch_bin" --script "$@" || return 1
}

# Becomes wf0.
_wf_batch_become() {
    _wf_batch_find || return 1
    exec "$_wf_batch_bin" --script "$@"
}

wf_batch_get_next_work() {
    _wf_batch_wf0 work next
}

wf_batch_claim_work() {
    _wf_batch_wf0 work claim -- "${1:-}" "${2:-}"
}

wf_batch_complete_work() {
    _wf_batch_wf0 work complete -- "${1:-}" "${2:-}"
}

# The message may be longer than the system lets an argument be.
wf_batch_fail_work() {
    _wf_batch_wf0 work fail --message-from - -- "${1:-}" "${2:-}" <<_wf_batch_end
${3:-}
_wf_batch_end
}

wf_batch_release_worker() {
    _wf_batch_wf0 work release -- "${1:-}"
}

wf_batch_deps_resolved() {
    _wf_batch_wf0 work deps-resolved -- "${1:-}"
}

wf_batch_is_running() {
    _wf_batch_wf0 work is-running
}

wf_batch_get_progress() {
    _wf_batch_wf0 work progress
}

# The process that this shell is, also where it is a subshell of the one that $$ names.
_wf_batch_find_self() {
    # shellcheck disable=SC2016
    _wf_batch_self=$(exec sh -c 'echo "$PPID"')
}

# A subshell has the lock that its parent has.
_wf_batch_has_lock() {
    [ "${_wf_batch_depth:-0}" -gt 0 ] && kill -0 "${_wf_batch_holder%% *}" 2>/dev/null
}

# Whether that is the lock of the project that this folder belongs to.
_wf_batch_is_here() {
    [ "$PWD" = "${_wf_batch_where:-}" ] || _wf_batch_wf0 work has-lock "$_wf_batch_holder"
}

# ksh93 runs subshells in its own process. One that takes the lock gets one of its own, which a limit of its own needs.
_wf_batch_fork() {
    case ${KSH_VERSION:-} in
    Version*) eval '[ "${.sh.subshell}" = 0 ] || ulimit -S -c "$(ulimit -S -c)"' ;;
    esac
}

wf_batch_lock() {
    _wf_batch_fork
    if _wf_batch_has_lock; then
        _wf_batch_is_here || return 1
        _wf_batch_depth=$((_wf_batch_depth + 1))
        return 0
    fi
    _wf_batch_depth=0
    _wf_batch_find_self
    _wf_batch_holder=$(_wf_batch_wf0 work lock "$_wf_batch_self") || return 1
    _wf_batch_where=$PWD
    _wf_batch_depth=1
}

# Frees what this shell has, wherever it has gone since.
wf_batch_unlock() {
    [ "${_wf_batch_depth:-0}" -gt 0 ] || return 0
    [ "$_wf_batch_depth" -gt 1 ] || _wf_batch_wf0 work unlock "$_wf_batch_holder" || return 1
    _wf_batch_depth=$((_wf_batch_depth - 1))
}

wf_batch_update_schedule() {
    set -- "${1:-}"
    if _wf_batch_has_lock && _wf_batch_is_here 2>/dev/null; then
        set -- "$1" --locked
    else
        _wf_batch_find_self
        set -- "$1" --owner "$_wf_batch_self"
    fi
    _wf_batch_wf0 schedule update "$2" ${3:+"$3"} <<_wf_batch_end
$1
_wf_batch_end
}

wf_batch_create_worktree() {
    _wf_batch_wf0 work worktree -- "${1:-}" "${2:-}"
}

wf_batch_cleanup_worktree() {
    _wf_batch_wf0 work cleanup -- "${1:-}"
}

wf_batch_get_branch_name() {
    _wf_batch_wf0 work branch -- "${1:-}"
}

wf_batch_push_changes() {
    _wf_batch_wf0 work push -- "${1:-}" "${2:-}"
}

wf_batch_generate_work_id() {
    _wf_batch_wf0 work new-id -- "${1:-}" "${3:-FEAT}" <<_wf_batch_end
${2:-}
_wf_batch_end
}

wf_batch_detect_dependencies() {
    _wf_batch_wf0 work references <<_wf_batch_end
${1:-}
_wf_batch_end
}

# A message is one line, whatever is in it.
wf_batch_log() {
    _wf_batch_text=$(
        LC_ALL=C tr '\n\r\t' '   ' <<_wf_batch_end | LC_ALL=C tr -d '\000-\037\177'
[$(date '+%Y-%m-%d %H:%M:%S')] [${1:-}] ${2:-}
_wf_batch_end
    )
    cat <<_wf_batch_end
${_wf_batch_text% }
_wf_batch_end
}

wf_batch_invoke_claude() {
    _wf_batch_wf0 work invoke -- "${1:-}" "${2:-}" "${3:-wf0-nextstep}"
}
