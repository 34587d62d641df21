// SPDX-License-Identifier: GPL-2.0-only
#include "machine/raw_terminal.hpp"

#include <unistd.h>

namespace ukl {

bool in_foreground(int terminal) {
  const pid_t group = tcgetpgrp(terminal);
  return group < 0 || group == getpgrp();
}

void RawTerminal::enter() {
  termios now;
  if (active() || descriptor_ < 0 || !in_foreground(descriptor_) || tcgetattr(descriptor_, &now) != 0)
    return;
  before_ = now;
  cfmakeraw(&now);
  tcsetattr(descriptor_, TCSANOW, &now);
}

void RawTerminal::leave() {
  if (active() && in_foreground(descriptor_))
    tcsetattr(descriptor_, TCSANOW, &*before_);
  before_.reset();
}

int RawTerminal::interrupt_key() const {
  const cc_t key = active() && (before_->c_lflag & ISIG) ? before_->c_cc[VINTR] : _POSIX_VDISABLE;
  return key == _POSIX_VDISABLE ? -1 : key;
}

} // namespace ukl
