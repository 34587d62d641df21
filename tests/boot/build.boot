# SPDX-License-Identifier: GPL-2.0-only
# From sources to an image: `ukl build`, and the compiler drivers in another project's build.

NAME build
BUILD {source}/programs/hello.cpp -std=c++20 -O2 -Wall
RUN
EXPECT Hello from C++

# A C and a C++ source, a library of the system, and arguments.
NAME build-mixed
PREPARE printf '%s\n' '#include <string.h>' 'int length(const char* text) { return (int)strlen(text); }' > length.c && \
  printf '%s\n' '#include <zlib.h>' '#include <cstdio>' 'extern "C" int length(const char*);' \
  'int main(int, char** v) { std::printf("zlib %s, %d bytes\n", zlibVersion(), length(v[1])); }' > main.cpp
BUILD {build}/main.cpp {build}/length.c -lz -pthread -- "seven b"
RUN
EXPECT_RE zlib 1\.[0-9.]+, 7 bytes

# As a package does it: autoconf's tests compile and run small programs with the drivers, make builds with them.
NAME configure-make
TIMEOUT 120
PREPARE rm -rf project && mkdir project && cd project && \
  printf '%s\n' 'AC_INIT([project], [1])' 'AC_PROG_CC' 'AC_PROG_CXX' 'AC_CHECK_SIZEOF([long])' 'AC_CHECK_FUNCS([epoll_create1])' \
  'AC_CONFIG_FILES([Makefile])' 'AC_OUTPUT' > configure.ac && \
  printf '%s\n' 'program: main.o part.o' '	@CXX@ @CXXFLAGS@ -o $@ main.o part.o' 'main.o: main.cpp' '	@CXX@ @CXXFLAGS@ @DEFS@ -c main.cpp' \
  'part.o: part.c' '	@CC@ @CFLAGS@ @DEFS@ -c part.c' > Makefile.in && \
  printf '%s\n' '#include <stdio.h>' 'int part(void) { return HAVE_EPOLL_CREATE1 + SIZEOF_LONG; }' > part.c && \
  printf '%s\n' '#include <iostream>' 'extern "C" int part();' 'int main() { std::cout << "parts: " << part() << std::endl; }' > main.cpp && \
  autoconf && tools=$(dirname {ukl}) && ./configure CC=$tools/ukl-cc CXX=$tools/ukl-c++ && make && ./program && \
  $tools/ukl-c++ -o at-once.o -c main.cpp
PACK {build}/project/program
RUN
EXPECT parts: 9
