// SPDX-License-Identifier: GPL-2.0-only
// What a machine that no `ukl run` started is told from outside: to end.
#pragma once

namespace ukl::init {

/// From here on the power button (in kernels that have its driver), and Linux's own wish to switch off in
/// order (Xen's `xl shutdown`, an overheated machine), wait to be read. Returns the descriptor that is
/// readable then. Ends the machine if there can be none.
int open_orders();

/// Takes what waits there. True if the machine is to end.
bool told_to_end();

/// Linux executes init once more to switch off in order (kernel.poweroff_cmd): passes it on to the init that
/// runs. Returns the exit status.
int pass_order_on();

} // namespace ukl::init
