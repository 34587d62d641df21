// SPDX-License-Identifier: GPL-2.0-only
// Numbers out of lines of text. sscanf(3) would be a tenth of init, all of which lies in every machine's
// memory.
#pragma once

#include <cstdlib>
#include <cstring>

namespace ukl::init {

/// Reads a line from its start. Once something is not as it should be, nothing more is read and `ok` is
/// false.
class Fields {
public:
  explicit Fields(const char* text) : at_(text) {}

  /// Blanks, if there are any, and a number.
  template <typename Number> Fields& number(Number& value, int base = 10) {
    char* end = nullptr;
    if (ok_) {
      const auto read = strtoull(at_, &end, base);
      ok_ = end != at_;
      if (ok_)
        value = static_cast<Number>(read);
      at_ = end;
    }
    return *this;
  }

  /// Exactly this text.
  Fields& text(const char* expected) {
    const auto length = strlen(expected);
    ok_ = ok_ && strncmp(at_, expected, length) == 0;
    at_ += ok_ ? length : 0;
    return *this;
  }

  /// All up to one of these characters, or to the end.
  Fields& until(const char* ends) {
    if (ok_)
      at_ += strcspn(at_, ends);
    return *this;
  }

  /// Blanks, if there are any, and what follows up to the next blank.
  Fields& word() {
    blanks();
    return until(" ");
  }

  /// Blanks, if there are any, and a character.
  Fields& character(char& value) {
    blanks();
    ok_ = ok_ && *at_ != '\0';
    if (ok_)
      value = *at_++;
    return *this;
  }

  bool ok() const { return ok_; }
  const char* at() const { return at_; }

private:
  void blanks() {
    if (ok_)
      at_ += strspn(at_, " ");
  }

  const char* at_;
  bool ok_ = true;
};

} // namespace ukl::init
