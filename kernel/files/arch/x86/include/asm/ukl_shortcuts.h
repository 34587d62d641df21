/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls that have an entry besides the usual ones, in the order of these entries in gate.S:
 * UKL_LEAF(number, function) replaces a direct entry always, UKL_SHORTCUT(number, function) in an image that asks
 * for it. Included several times, with these two defined as the includer needs them.
 */
UKL_LEAF(39, ukl_getpid)
UKL_LEAF(110, ukl_getppid)
UKL_LEAF(186, ukl_gettid)
#ifdef CONFIG_INET
UKL_SHORTCUT(0, ukl_tcp_read)
UKL_SHORTCUT(1, ukl_tcp_write)
UKL_SHORTCUT(20, ukl_writev)
UKL_SHORTCUT(44, ukl_sendto)
UKL_SHORTCUT(45, ukl_recvfrom)
UKL_SHORTCUT(46, ukl_sendmsg)
#endif
#undef UKL_LEAF
#undef UKL_SHORTCUT
