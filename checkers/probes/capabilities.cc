#include "checkers/probes/capabilities.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace checkers {
namespace {

constexpr unsigned bits_of_a_word = 32;

using Words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

bool read(Words& words) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  return syscall(SYS_capget, &header, words.data()) == 0;
}

void write(const Words& words) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  syscall(SYS_capset, &header, words.data());  // what it refuses shows in what needs it
}

}  // namespace

EffectiveCapabilities raise_capabilities(std::initializer_list<unsigned> wanted) {
  EffectiveCapabilities before;
  Words words{};
  if (!read(words)) return before;
  for (std::size_t i = 0; i < words.size(); ++i) before.sets[i] = words[i].effective;
  for (const unsigned capability : wanted) {
    auto& word = words[capability / bits_of_a_word];
    word.effective |= word.permitted & (1U << capability % bits_of_a_word);
  }
  write(words);
  return before;
}

void restore_capabilities(const EffectiveCapabilities& before) {
  Words words{};
  if (!read(words)) return;
  for (std::size_t i = 0; i < words.size(); ++i) words[i].effective = words[i].permitted & before.sets[i];
  write(words);
}

}  // namespace checkers
