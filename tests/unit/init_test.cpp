// SPDX-License-Identifier: GPL-2.0-only
// The parts of init that need no machine.
#include "../../init/command_line.hpp"
#include "../../init/fault_line.hpp"
// Compiled here once more: init itself is a program of its own, without exceptions and without a library.
#include "../../init/symbols.cpp" // NOLINT(bugprone-suspicious-include)

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

namespace ukl::init {
namespace {

using testing::ElementsAre;

TEST(CommandLine, ReplacesAndAdds) {
  Manifest manifest = {{"arg", "/bin/app"}, {"arg", "one"},        {"arg", "two"},
                       {"env", "A=1"},      {"hostname", "image"}, {"volume", "9p:a:/a"}};
  add_run_settings(manifest, command_line_words(
                                 "console=ttyS0 ukl.arg=x ukl.arg=y%20z quiet ukl.env=B=2 ukl.hostname=other "
                                 "ukl.volume=blk:vda:/b ukl.cwd=/tmp ukl=on\n"));
  EXPECT_THAT(values_of(manifest, key::argument), ElementsAre("/bin/app", "x", "y z"));
  EXPECT_THAT(values_of(manifest, key::environment), ElementsAre("A=1", "B=2"));
  EXPECT_THAT(values_of(manifest, key::hostname), ElementsAre("other"));
  EXPECT_THAT(values_of(manifest, key::volume), ElementsAre("9p:a:/a", "blk:vda:/b"));
  EXPECT_EQ(value_of(manifest, key::directory), "/tmp");
}

TEST(CommandLine, LeavesTheRestAlone) {
  const Manifest before = {{"arg", "/bin/app"}, {"arg", "one"}};
  Manifest manifest = before;
  add_run_settings(manifest, command_line_words("ukl=on ukl.broken xukl.arg=1 -- ukl.arg=behind"));
  EXPECT_EQ(manifest, before);
}

TEST(PercentDecode, KeepsWhatIsNotEncoded) {
  EXPECT_EQ(percent_decode("a%20b%2Fc%2f"), "a b/c/");
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%zz%4"), "%zz%4");
}

TEST(FaultLine, ReadsASegmentationFault) {
  FaultLine fault;
  ASSERT_TRUE(
      parse_fault_line("app[x][73]: segfault at 10 ip 0000000000401136 sp 00007ffe12345678 error 4 in "
                       "app[401000+1000] likely on CPU 0 (core 0, socket 0)",
                       fault));
  EXPECT_EQ(fault.thread, 73);
  EXPECT_TRUE(fault.has_address);
  EXPECT_EQ(fault.address, 0x10u);
  EXPECT_EQ(fault.instruction, 0x401136u);
  EXPECT_EQ(fault.file, "app");
  EXPECT_EQ(fault.mapping, 0x401000u);
  EXPECT_EQ(fault.mapping_size, 0x1000u);
}

TEST(FaultLine, ReadsThatOfLinux612) {
  FaultLine fault;
  ASSERT_TRUE(parse_fault_line("app[73]: segfault at 40 ip 000056138801a3f0 sp 00007ffe12345678 error 6 in "
                               "app[13f0,56138801a000+2000] likely on CPU 0 (core 0, socket 0)",
                               fault));
  EXPECT_EQ(fault.file, "app");
  EXPECT_EQ(fault.mapping, 0x56138801a000u);
  EXPECT_EQ(fault.mapping_size, 0x2000u);
}

TEST(FaultLine, ReadsAFaultOutsideOfAnyFile) {
  FaultLine fault;
  ASSERT_TRUE(parse_fault_line(
      "app[73]: segfault at 0 ip 0000000000000000 sp 00007ffe12345678 error 14 likely on CPU 0", fault));
  EXPECT_EQ(fault.instruction, 0u);
  EXPECT_EQ(fault.file, "");
}

TEST(FaultLine, ReadsATrap) {
  FaultLine fault;
  ASSERT_TRUE(parse_fault_line(
      "traps: app[73] trap divide error ip:401136 sp:7ffe12345678 error:0 in libm.so.6[7f00+a000]", fault));
  EXPECT_EQ(fault.thread, 73);
  EXPECT_FALSE(fault.has_address);
  EXPECT_EQ(fault.instruction, 0x401136u);
  EXPECT_EQ(fault.file, "libm.so.6");
  EXPECT_EQ(fault.mapping, 0x7f00u);
}

TEST(FaultLine, IgnoresEverythingElse) {
  FaultLine fault;
  for (const char* line : {"", "random: crng init done", "traps: ", "]: segfault at ", "app[73]: segfault at",
                           "Out of memory: Killed process 30 (app)"})
    EXPECT_FALSE(parse_fault_line(line, fault)) << line;
}

extern "C" __attribute__((noinline, used)) int ukl_test_symbol(int number) {
  return number * 3 + 1;
}

// Where this program's own code is mapped.
bool find_mapping(std::uint64_t address, std::uint64_t& start, std::uint64_t& end) {
  std::ifstream maps("/proc/self/maps");
  char dash;
  for (std::string rest; maps >> std::hex >> start >> dash >> end && std::getline(maps, rest);)
    if (address >= start && address < end)
      return true;
  return false;
}

TEST(Symbols, NamesAFunctionOfThisProgram) {
  const auto address = reinterpret_cast<std::uint64_t>(&ukl_test_symbol);
  std::uint64_t start = 0, end = 0;
  ASSERT_TRUE(find_mapping(address, start, end));
  EXPECT_EQ(name_of_address("/proc/self/exe", start, end - start, address + 1), "ukl_test_symbol+0x1");
}

TEST(Symbols, HasNoNameForWhatIsNoElfFile) {
  EXPECT_EQ(name_of_address("/proc/self/maps", 0, 0x1000, 0x10), "");
  EXPECT_EQ(name_of_address("/nonexistent", 0, 0x1000, 0x10), "");
}

TEST(Symbols, SurvivesDamagedFiles) {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  std::string bytes(4096, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto path = std::filesystem::temp_directory_path() / ("ukl-damaged-" + std::to_string(getpid()));
  for (const std::size_t size : {0ul, 3ul, 20ul, 63ul, 64ul, 1000ul, 4096ul}) {
    std::ofstream(path, std::ios::binary) << bytes.substr(0, size);
    EXPECT_EQ(name_of_address(path, 0, 0x1000, 0x10), "") << size;
  }
  std::filesystem::remove(path);
}

} // namespace
} // namespace ukl::init
