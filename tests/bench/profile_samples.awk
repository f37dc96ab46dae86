# Samples of the processors with the kernel's call chain: the time of each process of a command, split by what it was
# doing there, and the functions of the kernel at the top of the chains. After profile_tasks.awk.

function finish_sample() {
  if (who == "") return
  if (depth == 0) { what = "in its own code" ; leaf = "" }
  else if (what == "") what = "other interrupts and exceptions"
  time[who] += period
  what_time[who SUBSEP what] += period
  if (leaf != "") {
    function_time[who SUBSEP leaf] += period
    within[who SUBSEP leaf SUBSEP what] += period
  }
  who = ""
}

# A header: "skiff 24397/24397 25371.482857: cpu-clock:".
/cpu-clock:/ {
  finish_sample()
  match($0, /[0-9]+\/[0-9]+ +[0-9.]+:/)
  tid = substr($0, RSTART, RLENGTH)
  sub(/^[0-9]+\//, "", tid)
  sub(/ .*/, "", tid)
  who = role(tid)
  if (who == "" && name_of[tid] ~ /^(kworker|ksoftirqd|rcu|migration|kswapd|kcompactd)/) who = "threads of the kernel"
  what = leaf = ""
  depth = 0
  next
}

# A frame: "	ffffffff8158c25d next_uptodate_folio", innermost first.
/^[ \t]+[0-9a-f]+ / {
  if (who == "") next
  symbol = $2
  sub(/\.(isra|part|constprop|cold).*/, "", symbol)
  if (symbol == "[unknown]") next
  if (++depth == 1) leaf = symbol
  if (symbol ~ /^(__x64_sys_|__do_sys_|__se_sys_|ksys_)/) {
    what = symbol
    sub(/^(__x64_sys_|__do_sys_|__se_sys_|ksys_)/, "", what)
  } else if (symbol ~ /exc_page_fault$/) what = "page faults"
  else if (symbol == "process_one_work" && what == "") what = before
  else if (symbol == "kthread" && what == "") what = before
  else if (symbol == "ret_from_fork" && what == "") what = "the first steps after a fork"
  else if (symbol == "exit_to_user_mode_loop" && what == "") what = "work before the return to its own code"
  before = symbol
}

END {
  finish_sample()
  period = 100  # microseconds, at 10 kHz
  total_commands = 0
  for (program in commands) total_commands += commands[program]
  count = sort_by_value(time, roles)
  for (i = 1; i <= count; ++i) {
    who = roles[i]
    program = who
    sub(/:.*/, "", program)
    divisor = (program in commands) ? commands[program] : total_commands
    printf "\n%s: %.0f us of a processor for each of %d commands\n", who, time[who] * period / divisor, divisor
    print_part(what_time, "doing", divisor, 0)
    print_part(function_time, "function of the kernel (and mostly in)", divisor, 1)
  }
}

function print_part(table, title, divisor, is_function,    key, part, mine, order, n, j, note) {
  for (key in table) {
    split(key, part, SUBSEP)
    if (part[1] == who) mine[part[2]] = table[key]
  }
  n = sort_by_value(mine, order)
  printf "  %9s %6s  %s\n", "us", "%", title
  for (j = 1; j <= n && j <= top; ++j) {
    note = is_function ? " (" most_within(order[j]) ")" : ""
    printf "  %9.1f %6.1f  %s%s\n", mine[order[j]] * period / divisor, 100 * mine[order[j]] / time[who], order[j], note
  }
}

function most_within(symbol,    key, part, most, best) {
  for (key in what_time) {
    split(key, part, SUBSEP)
    if (part[1] != who || within[who SUBSEP symbol SUBSEP part[2]] <= best) continue
    best = within[who SUBSEP symbol SUBSEP part[2]]
    most = part[2]
  }
  return most
}

BEGIN { period = 1 }  # counted in samples
