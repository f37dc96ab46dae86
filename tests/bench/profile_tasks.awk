# Reads `perf script --show-task-events`: which process of which measured command a line is of. For the rules after it:
#   role(tid)   "skiff: command", "skiff: child 1", "skiff: child 1.1", "skiff: program"; empty for all others
#   commands[PROGRAM]   how many measured commands there were
# A measured command is a child of the process named bench-measured (spawn.cc).

function role(tid) { return tid in program_of ? program_of[tid] ": " place_of[tid] : "" }

function numbers_in(line, name) {
  match(line, name "\\([0-9]+:[0-9]+\\):\\([0-9]+:[0-9]+\\)")
  split(substr(line, RSTART + length(name)), part, /[^0-9]+/)  # "", pid, tid, parent's pid, parent's tid
}

/PERF_RECORD_FORK/ {
  numbers_in($0, "PERF_RECORD_FORK")
  delete program_of[part[3]]
  ++births[part[3]]  # numbers are used again
  name_of[part[3]] = name_of[part[5]]
  if (name_of[part[5]] == "bench-measured") {
    program_of[part[3]] = "?"
    place_of[part[3]] = "command"
    children[part[3]] = 0
  } else if (part[5] in program_of && place_of[part[5]] != "program") {
    program_of[part[3]] = program_of[part[5]]
    children[part[5]]++
    place_of[part[3]] = (place_of[part[5]] == "command" ? "child " : place_of[part[5]] ".") children[part[5]]
    children[part[3]] = 0
  }
  next
}

/PERF_RECORD_COMM/ {
  match($0, /PERF_RECORD_COMM( exec)?: .*:[0-9]+\/[0-9]+/)
  text = substr($0, RSTART, RLENGTH)
  tid = text
  sub(/.*\//, "", tid)
  name = text
  sub(/PERF_RECORD_COMM( exec)?: /, "", name)
  sub(/:[0-9]+\/[0-9]+$/, "", name)
  name_of[tid] = name
  if (text ~ /COMM exec/ && tid in program_of) {
    if (program_of[tid] == "?") {
      program_of[tid] = name
      ++commands[name]
    } else if (name != program_of[tid]) {
      place_of[tid] = "program"
    }
  }
  next
}

/PERF_RECORD_EXIT/ { next }

# The descending order of the keys of `value`, in `sorted`: how many.
function sort_by_value(value, sorted,    key, count, i, j, held) {
  count = 0
  for (key in value) sorted[++count] = key
  for (i = 2; i <= count; ++i) {
    held = sorted[i]
    for (j = i - 1; j >= 1 && value[sorted[j]] < value[held]; --j) sorted[j + 1] = sorted[j]
    sorted[j + 1] = held
  }
  return count
}
