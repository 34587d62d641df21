// SPDX-License-Identifier: GPL-2.0-only
#include "masked_calls.hpp"
#include "rewrite/reachable.hpp"
#include "rewrite/syscall_names.hpp"
#include "sample_files.hpp"

#include <algorithm>
#include <asm/unistd_64.h>

namespace ukl {
namespace {

class MaskedCallsTest : public FolderTest {
protected:
  FileCalls calls_of(const std::string& path) {
    auto bytes = read_file(path);
    EXPECT_TRUE(bytes);
    auto calls = find_file_calls(*bytes, path);
    EXPECT_TRUE(calls) << calls.error().message;
    return std::move(*calls);
  }
  FileCalls compiled(const std::string& name, const std::string& source,
                     const std::vector<std::string>& flags = {}) {
    compile_sample(at(name), source, flags);
    return calls_of(at(name));
  }
  // With the C library and the loader that dynamic programs use here.
  ReachableCalls reachable(FileCalls program) {
    std::vector<FileCalls> files;
    files.push_back(std::move(program));
    for (const char* path : {"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"})
      files.push_back(calls_of(path));
    return find_reachable_calls(files);
  }
};

constexpr const char* kCallsOne = "#include <sys/resource.h>\n"
                                  "int main(void) { return getpriority(PRIO_PROCESS, 0) == -1; }\n";
constexpr const char* kCallsNothing = "int main(void) { return 0; }\n";

TEST_F(MaskedCallsTest, OfAStaticProgramOnlyWhatItsMainReaches) {
  const auto with = find_reachable_calls({compiled("with", kCallsOne, {"-static"})});
  const auto without = find_reachable_calls({compiled("without", kCallsNothing, {"-static"})});
  EXPECT_TRUE(with.doubts.empty()) << with.doubts[0];
  EXPECT_TRUE(without.doubts.empty()) << without.doubts[0];
  EXPECT_TRUE(with.numbers.contains(__NR_getpriority));
  EXPECT_FALSE(without.numbers.contains(__NR_getpriority));
  EXPECT_FALSE(without.numbers.contains(__NR_mount));
  EXPECT_TRUE(without.numbers.contains(__NR_exit_group));
  EXPECT_TRUE(without.numbers.contains(__NR_rt_sigreturn));
}

TEST_F(MaskedCallsTest, OfADynamicProgramWhatItsLibrariesReach) {
  const auto with = reachable(compiled("with", kCallsOne));
  const auto without = reachable(compiled("without", kCallsNothing));
  EXPECT_TRUE(with.doubts.empty()) << with.doubts[0];
  EXPECT_TRUE(with.numbers.contains(__NR_getpriority));
  EXPECT_FALSE(without.numbers.contains(__NR_getpriority));
  // The loader's own.
  for (const int number : {__NR_openat, __NR_mmap, __NR_mprotect, __NR_arch_prctl})
    EXPECT_TRUE(without.numbers.contains(static_cast<std::uint32_t>(number))) << number;
}

TEST_F(MaskedCallsTest, AFunctionWhoseAddressIsTakenMayBeCalled) {
  const auto calls =
      reachable(compiled("pointer", "#include <sys/resource.h>\nint (*volatile f)(int, unsigned) = 0;\n"
                                    "int main(int n, char** v) { if (n > 1) f = (void*)getpriority;\n"
                                    "return f ? f(0, 0) : 0; }\n"));
  EXPECT_TRUE(calls.numbers.contains(__NR_getpriority));
}

// syscall(2): the number is where its caller says, or nobody knows.
TEST_F(MaskedCallsTest, NumbersThatAreHandedOn) {
  const auto known =
      reachable(compiled("known", "#include <unistd.h>\n#include <sys/syscall.h>\n"
                                  "int main(void) { return syscall(SYS_getpriority, 0, 0) < 0; }\n"));
  EXPECT_TRUE(known.doubts.empty()) << known.doubts[0];
  EXPECT_TRUE(known.numbers.contains(__NR_getpriority));
  const auto unknown =
      reachable(compiled("unknown", "#include <unistd.h>\n#include <stdlib.h>\n"
                                    "int main(int n, char** v) { return syscall(atoi(v[1])) < 0; }\n"));
  EXPECT_FALSE(unknown.doubts.empty());
}

// Whoever looks names up at run time may call any function that a library offers.
TEST_F(MaskedCallsTest, NamesThatAreLookedUp) {
  const auto calls = reachable(
      compiled("lookup", "#define _GNU_SOURCE\n#include <dlfcn.h>\n"
                         "int main(int n, char** v) { int (*f)(int, int) = dlsym(RTLD_DEFAULT, v[1]);\n"
                         "return f(0, 0); }\n"));
  EXPECT_TRUE(calls.numbers.contains(__NR_getpriority));
}

// A table among the code whose bytes look like a system call, and the same bytes where code goes.
TEST_F(MaskedCallsTest, TablesInTheTextMakeNoCalls) {
  const std::string source =
      "int before(int a) { return a + 1; }\n__asm__(\".text\\n.balign 64\\n.Ltable: .byte "
      "0x11,0x22,0x0f,0x05,0x06,0x07,0x16,0x17\\n"
      ".balign 64\");\n"
      "int main(void) { const char* p; __asm__(\"lea .Ltable(%%rip), %0\" : \"=r\"(p));\n";
  const auto read = reachable(compiled("read", source + "return p[1]; }\n", {"-fno-toplevel-reorder"}));
  EXPECT_TRUE(read.doubts.empty()) << read.doubts[0];
  const auto run = reachable(
      compiled("run", source + "__asm__(\"call .Ltable\"); return p[1]; }\n", {"-fno-toplevel-reorder"}));
  EXPECT_FALSE(run.doubts.empty());
}

std::set<std::string> masked_names(const MaskedCalls& masked) {
  std::set<std::string> names;
  for (const auto& [key, value] : masked.records)
    names.insert(std::string(syscall_name(static_cast<std::uint32_t>(std::stoul(value)))));
  return names;
}

TEST_F(MaskedCallsTest, TheUserHasTheLastWord) {
  std::vector<FileCalls> programs;
  programs.push_back(compiled("program", kCallsNothing, {"-static"}));
  auto masked = choose_masked_calls(programs, {});
  ASSERT_TRUE(masked) << masked.error().message;
  EXPECT_TRUE(masked_names(*masked).contains("getpriority"));
  EXPECT_FALSE(masked_names(*masked).contains("exit_group"));
  EXPECT_LT(masked->answered, 100u);

  MaskOptions options;
  options.allowed = {"getpriority", "165"};
  masked = choose_masked_calls(programs, options);
  ASSERT_TRUE(masked) << masked.error().message;
  EXPECT_FALSE(masked_names(*masked).contains("getpriority"));
  EXPECT_FALSE(masked_names(*masked).contains("mount"));

  options = {};
  options.only = {"read", "write"};
  masked = choose_masked_calls(programs, options);
  ASSERT_TRUE(masked) << masked.error().message;
  EXPECT_TRUE(masked_names(*masked).contains("mmap"));
  EXPECT_FALSE(masked_names(*masked).contains("write"));
  EXPECT_FALSE(masked_names(*masked).contains("exit_group"));

  options = {};
  options.all = true;
  masked = choose_masked_calls(programs, options);
  ASSERT_TRUE(masked) << masked.error().message;
  EXPECT_TRUE(masked->records.empty());
  EXPECT_GT(masked->answered, 300u);
}

TEST_F(MaskedCallsTest, ListsGrowAndAreReadBack) {
  const auto list = at("calls");
  ASSERT_TRUE(add_to_call_list(list, {__NR_write, __NR_exit_group}));
  ASSERT_TRUE(add_to_call_list(list, {__NR_read, __NR_write}));
  const auto text = *read_text(list);
  EXPECT_NE(text.find("\nexit_group\nread\nwrite\n"), std::string::npos) << text;
  MaskOptions options;
  options.only = {"@" + list.string()};
  auto masked = choose_masked_calls({}, options);
  ASSERT_TRUE(masked) << masked.error().message;
  EXPECT_FALSE(masked_names(*masked).contains("read"));
  EXPECT_TRUE(masked_names(*masked).contains("openat"));
}

TEST_F(MaskedCallsTest, SaysWhereAListIsWrong) {
  ASSERT_TRUE(write_text(at("calls"), "read\nwrite # and more\nno_such_call\n"));
  MaskOptions options;
  options.only = {"@" + at("calls").string()};
  auto masked = choose_masked_calls({}, options);
  ASSERT_FALSE(masked);
  EXPECT_EQ(masked.error().failure, Failure::usage);
  EXPECT_NE(masked.error().message.find("calls:3: there is no system call no_such_call"), std::string::npos)
      << masked.error().message;
  options.only = {"@" + at("missing").string()};
  masked = choose_masked_calls({}, options);
  ASSERT_FALSE(masked);
  EXPECT_EQ(masked.error().failure, Failure::not_found);
  options.only = {"464"};
  EXPECT_FALSE(choose_masked_calls({}, options));
  EXPECT_EQ(add_to_call_list(at("calls"), {0}).error().failure, Failure::usage);
}

} // namespace
} // namespace ukl
