# The door into a warm bash: bash sources this file (BASH_ENV) before it opens the script that it was started for.
#
# It says "ready" on descriptor 3 and sleeps until the start message: shell text that exports the program's variables and sets
# its arguments, ended by NUL. Then bash itself runs /workspace/main.sh, so $0, line numbers, BASH_SOURCE and the exit status
# are bash's own. No "done" is sent: bash has nothing to take apart, and its wait status says everything.

unset BASH_ENV "${!PLASTRON_@}"
printf 'R\0\0\0\0' >&3
IFS= read -r -d '' -u 3 __plastron_message || exit 0 # the stream ended: nobody will ask
exec 3>&-
declare -A __plastron_before
eval "$__plastron_message" 2>/dev/null
unset "${!__plastron_@}"
