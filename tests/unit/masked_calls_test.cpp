// SPDX-License-Identifier: GPL-2.0-only
#include "calls/chosen_calls.hpp"
#include "calls/reachable.hpp"
#include "sample_files.hpp"
#include "target/syscall_names.hpp"

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

// A loop keeps the function's pointer in a register, as Rust's standard library does. The empty asm hides
// from the compiler what it knows of it.
TEST_F(MaskedCallsTest, MaskingDoubtsAPointerThatIsKeptForCalls) {
  const std::string begin = "#define _GNU_SOURCE\n#include <unistd.h>\n#include <sys/syscall.h>\n"
                            "#include <stdlib.h>\nvoid other(long (*f)(long, ...));\n"
                            "long (*volatile kept)(long, ...);\n"
                            "int main(int n, char** v) { long sum = 0; long (*f)(long, ...) = syscall;\n"
                            "__asm__(\"\" : \"+r\"(f));\n";
  const auto with = [&](const std::string& name, const std::string& loop, const std::string& more = "") {
    return reachable(compiled(name, begin + loop + "return sum == 7; }\n" + more, {"-O2"}));
  };
  const std::string calls = "while (n--) sum += f(SYS_getpriority, 0, 0) + f(SYS_getpgid, sum);\n";
  const auto known = with("known", calls);
  EXPECT_TRUE(known.doubts.empty()) << known.doubts[0];
  EXPECT_TRUE(known.numbers.contains(__NR_getpriority));
  EXPECT_TRUE(known.numbers.contains(__NR_getpgid));
  // A number that nobody knows, a pointer that somebody else gets, and one that is kept in memory.
  const auto unknown = with("unknown", "while (n--) sum += f(SYS_getpgid, sum) + f(atoi(v[n]));\n");
  EXPECT_FALSE(unknown.doubts.empty());
  const auto handed = with("handed", calls + "other(f);\n",
                           "__attribute__((noipa)) void other(long (*f)(long, ...)) { f(atoi(\"1\")); }\n");
  EXPECT_FALSE(handed.doubts.empty());
  EXPECT_FALSE(with("stored", calls + "kept = f;\n").doubts.empty());
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

// A hook that is called at a function's end is no jump into a table (jemalloc's and glib's code looks so).
TEST_F(MaskedCallsTest, MaskingDoubtsAJumpToAPointerIsNoTable) {
  const auto calls = reachable(
      compiled("hook",
               "#include <unistd.h>\n#include <sys/syscall.h>\n#include <stdlib.h>\n"
               "long (*volatile hook)(long) = 0;\n"
               "__attribute__((noinline)) long call(long n) { long (*h)(long) = hook; if (h) return h(n);\n"
               "return syscall(SYS_getpriority, 0, 0); }\n"
               "int main(int n, char** v) { if (n > 1) hook = (void*)atol; return call(n); }\n",
               {"-O2"}));
  EXPECT_TRUE(calls.doubts.empty()) << calls.doubts[0];
  EXPECT_TRUE(calls.numbers.contains(__NR_getpriority));
}

// Functions of a library that keeps the function which makes its calls behind a pointer, as libcap does.
TEST_F(MaskedCallsTest, MaskingDoubtsKnownLibraries) {
  const std::string source = "#include <unistd.h>\n#include <sys/syscall.h>\n"
                             "static long call(long n, long a, long b) { return syscall(n, a, b); }\n"
                             "long (*table[])(long, long, long) = {call};\n"
                             "long act(void) { return table[0](SYS_capset, 0, 0); }\n";
  std::vector<std::string> flags = {"-shared", "-fPIC", "-O2", "-Wl,-soname,libcap.so.2"};
  const auto known = compiled("libcap", source, flags);
  flags.back() = "-Wl,-soname,libother.so.2";
  const auto other = compiled("libother", source, flags);
  EXPECT_TRUE(find_reachable_calls({known}).doubts.empty());
  EXPECT_TRUE(find_reachable_calls({known}).numbers.contains(__NR_capset));
  EXPECT_FALSE(find_reachable_calls({other}).doubts.empty());
}

// Whoever can call any function still needs one that makes any call: libffi by itself is no doubt.
TEST_F(MaskedCallsTest, MaskingDoubtsForeignFunctionInterfaces) {
  compile_sample(at("libffi.so.8"), "void ffi_call(void (*f)(void)) { f(); }\n",
                 {"-shared", "-fPIC", "-Wl,-soname,libffi.so.8"});
  const auto calls = reachable(
      compiled("calls", "void ffi_call(void*);\nint main(int n, char** v) { ffi_call(v[0]); return 0; }\n",
               {at("libffi.so.8").string()}));
  EXPECT_TRUE(calls.doubts.empty()) << calls.doubts[0];
}

// Three ways to syscall(2) past its callers: a pointer in the data, its name, and a library that hands on.
TEST_F(MaskedCallsTest, MaskingDoubtsWhoeverHasTheFunctionItself) {
  const std::string headers = "#define _GNU_SOURCE\n#include <unistd.h>\n#include <dlfcn.h>\n";
  EXPECT_FALSE(reachable(compiled("held", headers + "long (*call)(long, ...) = syscall;\n"
                                                    "int main(int n, char** v) { return call(n); }\n"))
                   .doubts.empty());
  EXPECT_FALSE(
      reachable(compiled("named", headers + "int main(int n, char** v) {\n"
                                            "long (*call)(long, ...) = dlsym(RTLD_DEFAULT, \"syscall\");\n"
                                            "return call(n); }\n"))
          .doubts.empty());
  const auto library =
      compiled("libhand.so", headers + "long hand_on(long n) { return syscall(n); }\n", {"-shared", "-fPIC"});
  const auto program =
      compiled("hands", "long hand_on(long);\nint main(int n, char** v) { return hand_on(n); }\n",
               {at("libhand.so").string()});
  EXPECT_FALSE(find_reachable_calls({library, program}).doubts.empty());
  EXPECT_TRUE(find_reachable_calls({library}).doubts.empty());
}

// Go's way: numbers in RAX that are saved on the stack over calls, or arguments on the stack, as the compiler
// makes them of syscall.Syscall and its callers.
class GoCallsTest : public MaskedCallsTest {
protected:
  FileCalls go_program(const std::string& name, const std::string& caller) {
    const std::string function = ".macro function name\n.type \\name,@function\n\\name:\n.endm\n"
                                 ".macro ends name\n.size \\name, .-\\name\n.endm\n";
    return compiled(name, "__asm__(R\"(" + function + R"(
.section .go.buildinfo,"aw"
.quad 1
.section .noptrdata,"aw"
number: .quad 72
other: .quad 72
.text
.globl _start
function _start
  call caller
  mov $60,%eax
  syscall
  hlt
ends _start
function enter
  xor %eax,%eax
  xor %ebx,%ebx
  ret
ends enter
function raw
  syscall
  ret
ends raw
function raw_stack
  mov 0x8(%rsp),%rax
  syscall
  ret
ends raw_stack
function wrapper
  sub $0x48,%rsp
  mov %rbx,0x38(%rsp)
  mov %rax,0x30(%rsp)
  call enter
  mov 0x30(%rsp),%rax
  mov 0x38(%rsp),%rbx
  call raw
  add $0x48,%rsp
  ret
ends wrapper
function caller
)" + caller + "\n  ret\nends caller\n)\");\n",
                    {"-nostdlib", "-static", "-no-pie"});
  }
};

TEST_F(GoCallsTest, MaskingDoubtsGoSavesANumber) {
  const auto calls = find_reachable_calls({go_program("saved", "mov $140,%eax\n call wrapper")});
  EXPECT_TRUE(calls.doubts.empty()) << calls.doubts[0];
  EXPECT_TRUE(calls.numbers.contains(__NR_getpriority));
  EXPECT_FALSE(calls.numbers.contains(__NR_mount));
}

TEST_F(GoCallsTest, MaskingDoubtsGoPassesANumberOnTheStack) {
  const auto calls = find_reachable_calls(
      {go_program("stack", "sub $0x20,%rsp\n movq $140,(%rsp)\n movq $0,0x8(%rsp)\n call raw_stack\n"
                           " add $0x20,%rsp")});
  EXPECT_TRUE(calls.doubts.empty()) << calls.doubts[0];
  EXPECT_TRUE(calls.numbers.contains(__NR_getpriority));
  // What was overwritten, what a callee may have changed, and what is written through its address.
  for (const char* caller :
       {"sub $0x20,%rsp\n movq $140,(%rsp)\n mov %rbx,(%rsp)\n call raw_stack\n add $0x20,%rsp",
        "sub $0x20,%rsp\n movq $140,(%rsp)\n call enter\n call raw_stack\n add $0x20,%rsp",
        "sub $0x20,%rsp\n movq $140,(%rsp)\n mov %ebx,0x4(%rsp)\n call raw_stack\n add $0x20,%rsp",
        "mov %rbx,%rax\n mov $5,%eax\n mov (%rbx),%rax\n call wrapper"})
    EXPECT_FALSE(find_reachable_calls({go_program("wrong", caller)}).doubts.empty()) << caller;
}

TEST_F(GoCallsTest, MaskingDoubtsGoKeepsANumberInAVariable) {
  const auto calls = find_reachable_calls({go_program("loaded", "mov number(%rip),%rax\n call wrapper")});
  EXPECT_TRUE(calls.doubts.empty()) << calls.doubts[0];
  EXPECT_TRUE(calls.numbers.contains(__NR_fcntl));
  for (const char* caller : {"mov %rbx,number(%rip)\n mov number(%rip),%rax\n call wrapper",
                             "movq $5,number(%rip)\n mov number(%rip),%rax\n call wrapper",
                             "lea number(%rip),%rdi\n call enter\n mov number(%rip),%rax\n call wrapper"})
    EXPECT_FALSE(find_reachable_calls({go_program("written", caller)}).doubts.empty()) << caller;
}

// Documents say "syscall" in many ways, and nobody on this side runs what stands in them.
TEST_F(MaskedCallsTest, PagesForBrowsersAreNoScripts) {
  const auto page = [](const std::string& text) {
    return is_web_page({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_TRUE(page("<!DOCTYPE html>\n<title>x</title> libc.syscall(2)"));
  EXPECT_TRUE(page("\n <HTML lang='en'>"));
  EXPECT_FALSE(page("<!DOCTYPE html><?php $libc->syscall(39) ?>"));
  EXPECT_FALSE(page("<?php echo 1;"));
  EXPECT_FALSE(page("#!/usr/bin/python3\nlibc.syscall(39)  # <html>"));
  EXPECT_FALSE(page(""));
}

TEST_F(MaskedCallsTest, MaskingDoubtsScriptsThatNameTheFunction) {
  const auto names = [](std::string_view text) {
    return names_syscall({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_TRUE(names("libc = ctypes.CDLL(None)\nlibc.syscall(39)\n"));
  EXPECT_TRUE(names("getattr(libc, 'syscall')(39)"));
  EXPECT_TRUE(names("libc[\"syscall\"]"));
  EXPECT_TRUE(names(std::string_view("\xda\x07syscall\xda\x04", 11)));
  EXPECT_FALSE(names("# sendfile is one syscall. A syscall costs.\n"));
  EXPECT_FALSE(names("module.syscalls()"));

  std::vector<FileCalls> programs;
  programs.push_back(compiled("lookup", "#include <dlfcn.h>\nint main(int n, char** v) {\n"
                                        "return dlsym(0, v[1]) != 0; }\n"));
  auto chosen = choose_calls(programs, {}, [] { return std::optional<std::string>("/app.py"); });
  ASSERT_EQ(chosen.doubts.size(), 1u);
  EXPECT_NE(chosen.doubts[0].find("/app.py"), std::string::npos);
  chosen = choose_calls(programs, {}, [] { return std::optional<std::string>(); });
  EXPECT_TRUE(chosen.doubts.empty());
}

// Which file needs a call.
TEST_F(MaskedCallsTest, SaysWhichFileMakesWhichCall) {
  const auto program = compiled("with", kCallsOne, {"-static"});
  const auto chosen = choose_calls({program}, {});
  const auto& calls = chosen.by_file.at(program.name);
  EXPECT_TRUE(std::ranges::count(calls, "getpriority"));
  EXPECT_FALSE(std::ranges::count(calls, "mount"));
}

bool is_masked(const ChosenCalls& chosen, std::uint32_t number) {
  return chosen.table[number] == CallKind::masked;
}

CallPolicy policy_of(const std::string& calls, const std::vector<std::string>& single = {}) {
  CallPolicy policy;
  const auto set = set_calls(policy, calls);
  EXPECT_TRUE(set) << set.error().message;
  for (const auto& one : single) {
    const auto added = set_call(policy, one);
    EXPECT_TRUE(added) << added.error().message;
  }
  return policy;
}

TEST_F(MaskedCallsTest, TheUserHasTheLastWord) {
  std::vector<FileCalls> programs;
  programs.push_back(compiled("program", kCallsNothing, {"-static"}));
  auto chosen = choose_calls(programs, policy_of("auto"));
  EXPECT_TRUE(is_masked(chosen, __NR_getpriority));
  EXPECT_FALSE(is_masked(chosen, __NR_exit_group));
  EXPECT_LT(chosen.answered, 100u);

  const auto answered = chosen.answered;
  chosen =
      choose_calls(programs, policy_of("auto", {"getpriority=default", "165=full", "exit_group=masked"}));
  EXPECT_EQ(chosen.table[__NR_getpriority], CallKind::standard);
  EXPECT_EQ(chosen.table[__NR_mount], CallKind::full);
  EXPECT_TRUE(is_masked(chosen, __NR_exit_group));
  EXPECT_EQ(chosen.answered, answered + 1);

  // A shortcut is no reason to answer a call.
  chosen = choose_calls(programs, policy_of("auto", {"all=shortcut", "sendto=default", "sendto=shortcut"}));
  EXPECT_TRUE(is_masked(chosen, __NR_recvfrom));
  EXPECT_EQ(chosen.table[__NR_sendto], CallKind::shortcut);
  EXPECT_EQ(chosen.table[__NR_write], CallKind::shortcut);

  chosen = choose_calls(programs, policy_of("none", {"read=default", "write=default"}));
  EXPECT_TRUE(is_masked(chosen, __NR_mmap));
  EXPECT_FALSE(is_masked(chosen, __NR_write));
  EXPECT_FALSE(is_masked(chosen, __NR_exit_group));

  chosen = choose_calls(programs, policy_of("all"));
  EXPECT_EQ(chosen.table, CallTable{});
  EXPECT_GT(chosen.answered, 300u);
}

TEST_F(MaskedCallsTest, ListsGrowAndAreReadBack) {
  const auto list = at("calls");
  ASSERT_TRUE(add_to_call_list(list, {__NR_write, __NR_exit_group}));
  ASSERT_TRUE(add_to_call_list(list, {__NR_read, __NR_write}));
  const auto text = *read_text(list);
  EXPECT_NE(text.find("\nexit_group\nread\nwrite\n"), std::string::npos) << text;
  const auto policy = policy_of("@" + list.string());
  EXPECT_EQ(policy.lists, std::vector<std::filesystem::path>{list});
  auto chosen = choose_calls({}, policy);
  EXPECT_FALSE(is_masked(chosen, __NR_read));
  EXPECT_TRUE(is_masked(chosen, __NR_openat));
  chosen = choose_calls({}, policy_of("none", {"@" + list.string() + "=full"}));
  EXPECT_EQ(chosen.table[__NR_read], CallKind::full);
  EXPECT_TRUE(is_masked(chosen, __NR_openat));
}

TEST_F(MaskedCallsTest, SaysWhereAListIsWrong) {
  ASSERT_TRUE(write_text(at("calls"), "read\nwrite # and more\nno_such_call\n"));
  CallPolicy policy;
  expect_error(set_calls(policy, "@" + at("calls").string()), Failure::usage,
               "calls:3: there is no system call no_such_call");
  expect_error(set_calls(policy, "@" + at("missing").string()), Failure::not_found, "missing");
  EXPECT_EQ(add_to_call_list(at("calls"), {0}).error().failure, Failure::usage);
}

} // namespace
} // namespace ukl
