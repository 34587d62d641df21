// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/numbers.hpp"

#include <algorithm>

namespace ukl::rewrite {
namespace {

constexpr std::uint16_t kKeptByCalls = 1u << 3 | 1u << 5 | 0xfu << 12; // rbx, rbp, r12 to r15 (System V ABI)
constexpr std::uint8_t kRsp = 4;

// Runs single instructions on registers; remembers one pushed constant for `push $n; pop %rax`.
class Machine {
public:
  Machine(Registers registers, bool calls_keep_registers)
      : registers(registers), calls_keep_registers_(calls_keep_registers) {}

  void step(const Instruction& instruction) {
    Value result;
    switch (instruction.effect) {
    case Effect::set:
      result = Value::constant(instruction.value);
      break;
    case Effect::set_low:
      result = registers[instruction.to].with_low(instruction.value);
      break;
    case Effect::copy:
      result = registers[instruction.from].moved(instruction.value, ~std::uint64_t{0});
      break;
    case Effect::copy_32:
      result = registers[instruction.from].moved(instruction.value, 0xffffffff);
      break;
    case Effect::pop:
      result = pushed_;
      break;
    case Effect::push:
    case Effect::other:
      break;
    }
    auto written = instruction.written;
    if (instruction.flow == Flow::call)
      written |= calls_keep_registers_ ? static_cast<std::uint16_t>(~kKeptByCalls) : 0xffff;
    if (written & (1u << kRsp))
      pushed_ = Value::anything();
    for (unsigned number = 0; number < registers.size(); ++number)
      if (written & (1u << number))
        registers[number] = Value::anything();
    if (instruction.effect == Effect::push)
      pushed_ = Value::constant(instruction.value);
    else if (instruction.effect != Effect::other)
      registers[instruction.to] = result;
  }

  Registers registers;

private:
  Value pushed_ = Value::anything();
  bool calls_keep_registers_;
};

} // namespace

Value Value::moved(std::uint64_t addend, std::uint64_t mask) const {
  if (count_ == kArgument && addend != 0)
    return anything();
  if (!is_known())
    return *this;
  Value result;
  for (const auto number : numbers())
    result.add((number + addend) & mask);
  return result;
}

Value Value::with_low(std::uint64_t low) const {
  if (count_ == kArgument)
    return anything();
  if (!is_known())
    return *this;
  Value result;
  for (const auto number : numbers())
    result.add((number & ~std::uint64_t{0xff}) | low);
  return result;
}

void Value::add(std::uint64_t number) {
  const auto have = numbers();
  if (count_ == kAnything || std::find(have.begin(), have.end(), number) != have.end())
    return;
  if (count_ == kMost)
    count_ = kAnything;
  else
    numbers_[count_++] = number;
}

bool Value::merge(const Value& other) {
  const auto before = count_;
  if (count_ == 0) {
    *this = other;
  } else if (other.count_ == kAnything || ((count_ == kArgument) != (other.count_ == kArgument)) ||
             (count_ == kArgument && numbers_[0] != other.numbers_[0])) {
    count_ = other.count_ == 0 ? count_ : kAnything;
  } else {
    for (const auto number : other.numbers())
      add(number);
  }
  return count_ != before;
}

std::vector<SiteValues> follow_numbers(const std::vector<Instruction>& code, const Entries& entries,
                                       const std::vector<Question>& questions, bool calls_keep_registers) {
  const auto index_of = [&](std::uint64_t address) -> std::size_t {
    const auto at = std::lower_bound(
        code.begin(), code.end(), address,
        [](const Instruction& instruction, std::uint64_t value) { return instruction.address < value; });
    return at != code.end() && at->address == address ? static_cast<std::size_t>(at - code.begin())
                                                      : code.size();
  };

  // Blocks begin at the function's start, at every entry, and behind whatever may leave the straight line.
  std::vector<bool> begins(code.size() + 1);
  std::vector<std::size_t> open;
  begins[0] = true;
  for (const auto address : entries.direct)
    begins[index_of(address)] = true;
  for (const auto address : entries.other)
    begins[index_of(address)] = true;
  for (std::size_t i = 0; i < code.size(); ++i)
    if (code[i].flow != Flow::next && code[i].flow != Flow::call && code[i].flow != Flow::syscall)
      begins[i + 1] = true;
  std::vector<std::size_t> starts;
  std::vector<std::size_t> block_of(code.size() + 1);
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (begins[i])
      starts.push_back(i);
    block_of[i] = starts.size() - 1;
  }

  std::vector<Registers> states(starts.size());
  std::vector<bool> queued(starts.size()), visited(starts.size());
  const auto enter = [&](std::size_t instruction, const Registers& registers) {
    if (instruction >= code.size())
      return;
    const auto block = block_of[instruction];
    bool changed = false;
    visited[block] = true;
    for (std::size_t i = 0; i < registers.size(); ++i)
      changed |= states[block][i].merge(registers[i]);
    if (changed && !queued[block]) {
      queued[block] = true;
      open.push_back(block);
    }
  };
  Registers anything;
  anything.fill(Value::anything());
  Registers at_start;
  for (std::size_t number = 0; number < at_start.size(); ++number)
    at_start[number] = Value::argument(static_cast<std::uint8_t>(number));
  enter(0, at_start);
  for (const auto address : entries.other)
    enter(index_of(address), anything);

  while (!open.empty()) {
    const auto block = open.back();
    open.pop_back();
    queued[block] = false;
    const auto last = block + 1 < starts.size() ? starts[block + 1] : code.size();
    Machine machine(states[block], calls_keep_registers);
    for (auto i = starts[block]; i < last; ++i)
      machine.step(code[i]);
    const auto& end = code[last - 1];
    if (end.flow == Flow::jump || end.flow == Flow::branch) {
      auto target = index_of(end.target);
      if (target == code.size())
        target = index_of(end.target - 1); // over a lock prefix
      enter(target, machine.registers);
    }
    if (end.flow != Flow::jump && end.flow != Flow::indirect_jump && end.flow != Flow::end)
      enter(last, machine.registers);
  }

  std::vector<SiteValues> values;
  for (const auto& question : questions) {
    const auto site = question.instruction;
    const auto block = block_of[site], before = block_of[site == 0 ? 0 : site - 1];
    const bool falls = site > 0 && code[site - 1].flow != Flow::jump && code[site - 1].flow != Flow::end &&
                       code[site - 1].flow != Flow::indirect_jump && visited[before];
    SiteValues value{{}, starts[before], states[before], falls};
    value.number = number_after(code, starts[block], question, states[block], calls_keep_registers);
    values.push_back(value);
  }
  return values;
}

Value number_after(const std::vector<Instruction>& code, std::size_t from, Question to, Registers registers,
                   bool calls_keep_registers) {
  Machine machine(registers, calls_keep_registers);
  for (auto i = from; i < to.instruction; ++i)
    machine.step(code[i]);
  return machine.registers[to.register_number];
}

} // namespace ukl::rewrite
