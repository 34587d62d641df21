# SPDX-License-Identifier: GPL-2.0-only
# What a program in ring 0 could do and must not: the same as on the build machine, or refused.

NAME ring0
TIMEOUT 120
CHECK privileged programs/privileged.cpp
CHECK refused programs/privileged.cpp : refused
HOST no
CHECK privileged_static programs/privileged.cpp -static
CHECK shortcut_widths programs/shortcut_widths.cpp
PACK --call all=shortcut
