for i in 1 2 3; do echo "line $i" >> log.txt; done
sort -r log.txt | head -1
x=$(mktemp); echo hi > "$x"; cat "$x"; rm "$x"
grep -c line log.txt
outcome=nothing
case "${1:-}" in
  read) read -r _ < /etc/hostname && outcome=allowed || outcome=denied ;;
  write) : > elsewhere.txt && outcome=allowed || outcome=denied ;;
  exec) /usr/bin/id > log.txt && outcome=allowed || outcome=denied ;;
esac 2> /dev/null
echo $outcome
