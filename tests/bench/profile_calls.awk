# Each system call of the processes of a command. table=calls: the sum of each; table=order: one line a call in the order
# of a command, with its first three arguments, as the median over all commands of the most frequent length. After profile_tasks.awk.

BEGIN {
  while ((getline line < names) > 0) {
    split(line, word, " ")
    call_name[word[1]] = word[2]
  }
}

function microseconds(line) {
  match(line, /[0-9]+\.[0-9]+:/)
  return substr(line, RSTART, RLENGTH - 1) * 1000000
}

function tid_of(line) {
  match(line, /[0-9]+\/[0-9]+ +[0-9.]+:/)
  line = substr(line, RSTART, RLENGTH)
  sub(/^[0-9]+\//, "", line)
  sub(/ .*/, "", line)
  return line
}

{
  tid = tid_of($0)
  who = role(tid)
  if (who == "" || who ~ /: program$/) next
  now = microseconds($0)
}

/PERF_RECORD_SWITCH OUT/ { left[tid] = now; next }
/PERF_RECORD_SWITCH IN/ {
  if (tid in left && left[tid] > 0) away[tid] += now - left[tid]
  left[tid] = 0
  next
}

/raw_syscalls:sys_enter/ {
  match($0, /NR [0-9]+ \([^)]*\)/)
  split(substr($0, RSTART + 3, RLENGTH - 3), word, " ")
  open_call[tid] = word[1]
  if (table == "order") arguments[tid] = word[2] " " word[3] " " word[4]
  entered[tid] = now
  if (begun_by[tid] != who SUBSEP births[tid]) begin_sequence()
  away[tid] = 0
  next
}

/raw_syscalls:sys_exit/ {
  if (!(tid in open_call)) next
  if (begun_by[tid] != who SUBSEP births[tid]) begin_sequence()
  end_call(now)
  next
}

# A process's calls begin anew where its number is used again, and with its program: a command with its execve.
function begin_sequence() {
  begun_by[tid] = who SUBSEP births[tid]
  sequence[tid] = ++sequences
  role_of_sequence[sequences] = who
  if (who ~ /: command$/) started[program_of[tid]] = entered[tid]
  start_of_command[sequences] = started[program_of[tid]]
  length_of[sequences] = 0
}

function end_call(now,    number, name, key) {
  number = open_call[tid]
  delete open_call[tid]
  name = number in call_name ? call_name[number] : number
  key = who SUBSEP name
  ++calls[key]
  spent[key] += now - entered[tid]
  waited[key] += away[tid]
  sum[who] += now - entered[tid]
  if (table != "order") return
  key = sequence[tid] SUBSEP (++length_of[sequence[tid]])
  sub(/,$/, "", arguments[tid])
  order_name[key] = name arguments[tid] ")"
  order_start[key] = entered[tid] - start_of_command[sequence[tid]]
  order_spent[key] = now - entered[tid]
  order_away[key] = away[tid]
}

END {
  if (table == "order") print_order()
  else print_calls()
}

function print_calls(    i, j, n, m, key, part, mine, order, who, program) {
  n = sort_by_value(sum, roles)
  for (i = 1; i <= n; ++i) {
    who = roles[i]
    program = who
    sub(/:.*/, "", program)
    if (!(program in commands)) continue
    printf "\n%s: system calls of one command, %d commands\n", who, commands[program]
    printf "  %8s %9s %9s %9s  %s\n", "count", "us", "waiting", "us each", "call"
    delete mine
    delete order
    for (key in spent) {
      split(key, part, SUBSEP)
      if (part[1] == who) mine[part[2]] = spent[key] - waited[key]
    }
    m = sort_by_value(mine, order)
    for (j = 1; j <= m && j <= top; ++j) {
      key = who SUBSEP order[j]
      printf "  %8.1f %9.1f %9.1f %9.2f  %s\n", calls[key] / commands[program], spent[key] / commands[program],
        waited[key] / commands[program], mine[order[j]] / calls[key], order[j]
    }
  }
}

function median(list, n,    i, j, held) {
  for (i = 2; i <= n; ++i) {
    held = list[i]
    for (j = i - 1; j >= 1 && list[j] > held; --j) list[j + 1] = list[j]
    list[j + 1] = held
  }
  return list[int((n + 1) / 2)]
}

# Each role's calls by their place, of those processes that made as many calls as most.
function print_order(    s, who, key, k, n, lines) {
  for (s = 1; s <= sequences; ++s) {
    key = role_of_sequence[s] SUBSEP length_of[s]
    if (++with_length[key] > most[role_of_sequence[s]]) {
      most[role_of_sequence[s]] = with_length[key]
      usual[role_of_sequence[s]] = length_of[s]
    }
  }
  for (who in usual) {
    if (who ~ /\?/) continue
    printf "\n%s: its %d system calls in order, median of %d commands\n", who, usual[who], most[who]
    printf "  %9s %9s %9s %9s  %s\n", "at us", "own code", "us", "waiting", "call"
    last = 0
    for (k = 1; k <= usual[who]; ++k) print_place(who, k)
  }
}

function print_place(who, k,    s, n, name, at, spent_here, away_here) {
  n = 0
  for (s = 1; s <= sequences; ++s) {
    if (role_of_sequence[s] != who || length_of[s] != usual[who]) continue
    ++n
    starts[n] = order_start[s, k]
    spents[n] = order_spent[s, k]
    aways[n] = order_away[s, k]
    gaps[n] = k == 1 ? 0 : order_start[s, k] - order_start[s, k - 1] - order_spent[s, k - 1]
    name = order_name[s, k]
  }
  at = median(starts, n)
  printf "  %9.1f %9.1f %9.1f %9.1f  %s\n", at, median(gaps, n), median(spents, n), median(aways, n), name
}
