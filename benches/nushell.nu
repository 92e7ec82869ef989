# Measures, in one session; `nushell.sh` prepares what it looks at.

def fastest [times: int, code: closure]: nothing -> record {
    do $code | ignore
    let spans = 1..$times | each { timeit { do $code | ignore } } | sort
    { fastest: ($spans | first), median: ($spans | get ($times // 2)) }
}

# The columns of `wf0 batch status` from what schedule.json holds; phases and attempts are not in it.
def by-hand [] {
    let works = open .wf/schedule.json | get works | values
    let done = $works | where status == completed | get work_id
    $works | each {|it| {
        work_id: $it.work_id
        state: $it.status
        priority: $it.priority
        phase: null
        worker: null
        attempts: 0
        waiting_on: ($it.dependencies | where {|on| $on not-in $done })
        dependencies: $it.dependencies
        started_at: (if $it.started_at == null { null } else { $it.started_at | into datetime })
        finished_at: (if $it.completed_at == null { null } else { $it.completed_at | into datetime })
        elapsed: (if $it.started_at == null { 0sec } else { ($it.completed_at | into datetime) - ($it.started_at | into datetime) })
        branch: $"feat/($it.work_id | split row "-" | skip 1 | str join "-")"
        worktree: $it.worktree_path
        source: $it.source
        error: $it.error
    } }
}

def main [folder: path, shell: path, plugin: path] {
    let warm = [[works bound times]; [10 3ms 100] [10000 300ms 10]] | each {|it|
        cd ($folder | path join ($it.works | into string))
        let wf0 = fastest $it.times { wf0 batch status }
        let by_hand = fastest $it.times { by-hand }
        {
            measured: $"warm status of ($it.works) works"
            wf0: $wf0.median, wf0_fastest: $wf0.fastest
            beside: "open schedule.json", other: $by_hand.median, other_fastest: $by_hand.fastest
            bound: $it.bound
            holds: ($wf0.median < $it.bound and $wf0.fastest <= $by_hand.fastest)
        }
    }
    cd ($folder | path join "10")
    let with = fastest 25 { ^$shell -n --no-std-lib --plugins $plugin -c "wf0 batch status | length" }
    let bare = fastest 25 { ^$shell -n --no-std-lib -c "1" }
    let cold = {
        measured: "cold start and a status"
        wf0: $with.median, wf0_fastest: $with.fastest
        beside: "nu -c 1", other: $bare.median, other_fastest: $bare.fastest
        bound: 15ms
        holds: ($with.median - $bare.median < 15ms)
    }
    let tab = do {
        cd ($folder | path join "10000")
        fastest 10 { "wf0 schedule edit FEAT-77" | commandline complete --detailed }
    }
    let completion = {
        measured: "TAB on 10000 works"
        wf0: $tab.median, wf0_fastest: $tab.fastest
        beside: "", other: null, other_fastest: null
        bound: 50ms
        holds: ($tab.median < 50ms)
    }
    let rows = $warm | append $cold | append $completion
    print ($rows | table --width 160)
    if not ($rows | all {|it| $it.holds }) { exit 1 }
}
