# Ends a server and removes its folder once the process that started it is gone, however it went.
# usage: janitor SIGNAL FOLDER
# Each line of input is the pid of the server that runs now, 0 when none does. The other end of the pipe is held by the
# process that started the server: the end of input is the end of that process.
pid=0
while read -r line; do pid=$line; done
if [ "$pid" -gt 0 ] && kill -s "$1" "$pid" 2>/dev/null; then
  tries=100
  while [ "$tries" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do
    sleep 0.05
    tries=$((tries - 1))
  done
  kill -s KILL "$pid" 2>/dev/null
fi
rm -rf -- "$2"
