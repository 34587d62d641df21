// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/numbers.hpp"

#include <algorithm>

namespace ukl::rewrite {
namespace {

constexpr std::uint8_t kRsp = 4;

// Runs single instructions on registers; remembers one pushed constant for `push $n; pop %rax`.
class Machine {
public:
  Machine(Registers registers, bool calls_keep_registers, bool stack_words,
          std::optional<std::int64_t> saved = std::nullopt)
      : registers(registers), calls_keep_registers_(calls_keep_registers), stack_words_(stack_words),
        saved_(saved) {}

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
    case Effect::load:
      result = loaded(instruction);
      break;
    case Effect::store:
      result = registers[instruction.from];
      break;
    case Effect::store_number:
      result = Value::constant(instruction.value);
      break;
    case Effect::push:
    case Effect::other:
      break;
    }
    if (instruction.stack_bytes != 0)
      write_stack(instruction, result);
    const auto stack = registers[kRsp];
    auto written = instruction.written;
    if (instruction.flow == Flow::call) {
      written |= calls_keep_registers_ ? static_cast<std::uint16_t>(~kKeptByCalls) : 0xffff;
      registers[kStackTop] = Value::anything();
    }
    if (written & (1u << kRsp))
      pushed_ = registers[kStackTop] = Value::anything();
    for (unsigned number = 0; number < 16; ++number)
      if (written & (1u << number))
        registers[number] = Value::anything();
    // A function returns with the stack pointer that it was called with.
    if (instruction.flow == Flow::call || instruction.stack_change != 0)
      registers[kRsp] =
          stack.moved(static_cast<std::uint64_t>(std::int64_t{instruction.stack_change}), ~std::uint64_t{0});
    if (instruction.effect == Effect::push)
      pushed_ = Value::constant(instruction.value);
    else if (instruction.effect != Effect::other && instruction.effect != Effect::store &&
             instruction.effect != Effect::store_number)
      registers[instruction.to] = result;
    // The address of an argument or of the saved one: whoever gets it may write there.
    if ((instruction.effect == Effect::copy || instruction.effect == Effect::copy_32) &&
        instruction.from == kRsp) {
      const auto address =
          stack.distance_from(kRsp).value_or(0) + static_cast<std::int64_t>(instruction.value);
      stack_escapes |= address >= 0 || address == saved_;
    }
  }

  // `at`: an instruction that leaves the function for another one, or a system call.
  Value value(std::uint8_t number, const Instruction& at) const {
    if (number == kStackArgument && at.flow != Flow::syscall &&
        registers[kRsp].distance_from(kRsp) != std::int64_t{0})
      return Value::anything();
    return registers[number];
  }

  Registers registers;
  bool stack_escapes = false;

private:
  static constexpr std::int64_t kWord = 8; ///< bytes

  Value loaded(const Instruction& instruction) const {
    const auto depth = registers[kRsp].distance_from(kRsp);
    if (!stack_words_ || instruction.from != kRsp || !depth)
      return Value::anything();
    if (*depth + instruction.displacement == kWord)
      return registers[kStackArgument].moved(0, instruction.value);
    if (saved_ == *depth + instruction.displacement)
      return registers[kSavedArgument].moved(0, instruction.value);
    return instruction.displacement == 0 ? registers[kStackTop].moved(0, instruction.value)
                                         : Value::anything();
  }

  void write_stack(const Instruction& instruction, const Value& value) {
    const auto depth = registers[kRsp].distance_from(kRsp);
    const bool whole = instruction.effect == Effect::store || instruction.effect == Effect::store_number;
    const std::int64_t begin = instruction.displacement, end = begin + instruction.stack_bytes;
    if (begin < kWord && end > 0)
      registers[kStackTop] = whole && begin == 0 ? value : Value::anything();
    const auto write_word = [&](std::uint8_t number, std::int64_t place) {
      if (!depth || (*depth + begin<place + kWord&& * depth + end> place))
        registers[number] = depth && whole && *depth + begin == place ? value : Value::anything();
    };
    write_word(kStackArgument, kWord);
    if (saved_)
      write_word(kSavedArgument, *saved_);
  }

  Value pushed_ = Value::anything();
  bool calls_keep_registers_;
  bool stack_words_;                  ///< the places on the stack are followed
  std::optional<std::int64_t> saved_; ///< kSavedArgument's, from the stack pointer at the function's start
};

// Where a function first saves RAX, if that is a local variable. It is none of the places where those that it
// calls may write: these are where it puts their arguments, from the stack pointer on.
std::optional<std::int64_t> saved_argument(const std::vector<Instruction>& code, const Registers& at_start) {
  constexpr std::uint8_t kRax = 0;
  Machine machine(at_start, false, false);
  for (const auto& instruction : code) {
    if (instruction.flow != Flow::next && instruction.flow != Flow::branch)
      break;
    if (instruction.effect == Effect::store && instruction.from == kRax && instruction.displacement > 0 &&
        machine.registers[kRax].argument_register() == kRax) {
      const auto depth = machine.registers[kRsp].distance_from(kRsp);
      if (depth && *depth + instruction.displacement < 0)
        return *depth + instruction.displacement;
    }
    machine.step(instruction);
  }
  return std::nullopt;
}

} // namespace

Value Value::moved(std::uint64_t addend, std::uint64_t mask) const {
  if (count_ == kArgument) {
    Value result = *this;
    result.numbers_[1] += addend;
    return mask == ~std::uint64_t{0} || result.numbers_[1] == 0 ? result : anything();
  }
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
             (count_ == kArgument &&
              (numbers_[0] != other.numbers_[0] || numbers_[1] != other.numbers_[1]))) {
    count_ = other.count_ == 0 ? count_ : kAnything;
  } else {
    for (const auto number : other.numbers())
      add(number);
  }
  return count_ != before;
}

namespace {

std::vector<SiteValues> follow(const std::vector<Instruction>& code, const Entries& entries,
                               const std::vector<Question>& questions, bool calls_keep_registers,
                               bool stack_words) {
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
  Registers at_start = anything;
  for (std::uint8_t number = 0; number < kStackTop; ++number)
    if (number != kStackArgument || stack_words)
      at_start[number] = Value::argument(number);
  const auto saved = stack_words ? saved_argument(code, at_start) : std::nullopt;
  enter(0, at_start);
  for (const auto address : entries.other)
    enter(index_of(address), anything);

  bool stack_escapes = false;
  while (!open.empty()) {
    const auto block = open.back();
    open.pop_back();
    queued[block] = false;
    const auto last = block + 1 < starts.size() ? starts[block + 1] : code.size();
    Machine machine(states[block], calls_keep_registers, stack_words, saved);
    for (auto i = starts[block]; i < last; ++i)
      machine.step(code[i]);
    stack_escapes |= machine.stack_escapes;
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

  if (stack_escapes && stack_words)
    return follow(code, entries, questions, calls_keep_registers, false);

  std::vector<SiteValues> values;
  for (const auto& question : questions) {
    const auto site = question.instruction;
    const auto block = block_of[site], before = block_of[site == 0 ? 0 : site - 1];
    const bool falls = site > 0 && code[site - 1].flow != Flow::jump && code[site - 1].flow != Flow::end &&
                       code[site - 1].flow != Flow::indirect_jump && visited[before];
    SiteValues value{{}, starts[before], states[before], falls};
    Machine machine(states[block], calls_keep_registers, stack_words, saved);
    for (auto i = starts[block]; i < site; ++i)
      machine.step(code[i]);
    value.number = machine.value(question.register_number, code[site]);
    values.push_back(value);
  }
  return values;
}

} // namespace

std::vector<SiteValues> follow_numbers(const std::vector<Instruction>& code, const Entries& entries,
                                       const std::vector<Question>& questions, bool calls_keep_registers) {
  return follow(code, entries, questions, calls_keep_registers, !calls_keep_registers);
}

Value number_after(const std::vector<Instruction>& code, std::size_t from, Question to, Registers registers,
                   bool calls_keep_registers) {
  Machine machine(registers, calls_keep_registers, false);
  for (auto i = from; i < to.instruction; ++i)
    machine.step(code[i]);
  return machine.value(to.register_number, code[to.instruction]);
}

} // namespace ukl::rewrite
