#!/bin/sh
# Measures the Nushell plugin beside Nushell alone: a warm `wf0 batch status` beside `open .wf/schedule.json` with the
# same columns made from it, and what loading the plugin adds to a cold start. Needs `cargo build --release` and the
# Nushell that `scripts/test --install` brings; ends with 1 where a bound is exceeded.
set -eu
cd "$(dirname "$0")/.."
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
nu=${WF0_TEST_NU:-$target/nushell-0.115.1/nu}
plugin=$target/release/nu_plugin_wf0
wf0=$target/release/wf0
for program in "$nu" "$plugin" "$wf0"; do
    [ -x "$program" ] || {
        echo "$0: $program is missing: run scripts/test --install and cargo build --release" >&2
        exit 1
    }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for count in 10 10000; do
    project=$folder/$count
    mkdir -p "$project"
    (
        cd "$project"
        git init -q -b main .
        git -c user.name=bench -c user.email=bench@localhost commit -q --allow-empty -m Begin
        "$wf0" init >/dev/null
        # Three dependencies each, but for the first ones.
        awk -v n="$count" 'BEGIN {
            printf "["
            for (i = 1; i <= n; i++) {
                printf "%s{\"work_id\":\"FEAT-%d-work\",\"title\":\"Work number %d\",\"dependencies\":[", (i > 1 ? "," : ""), i, i
                first = 1
                for (d = 1; d <= 3; d++) if (i - d * d > 0) { printf "%s\"FEAT-%d-work\"", (first ? "" : ","), i - d * d; first = 0 }
                printf "]}"
            }
            print "]"
        }' | "$wf0" schedule create --from - >/dev/null
    )
done
"$nu" -n --no-std-lib --plugins "$plugin" benches/nushell.nu "$folder" "$nu" "$plugin"
