#pragma once

#include <functional>

namespace net {

/// Runs `work` in a process of its own that shares this one's memory, as vfork(2) makes it, and waits for it: for calls
/// on files that may block beyond any signal, such as a write to a frozen file system. A thread that made such a call
/// itself would keep this whole process from ending; one that waits here does not. When the thread ends, or the
/// process, `work` gets no further than the call that blocks.
///
/// Of the descriptors `work` has `keep` alone; -1: none. It returns an errno, or 0, and may use what the thread that
/// called may, but must not end by an exception. Returns what it returned; the errno of a failure to start it;
/// ECANCELED where it was killed. Blocks: for threads other than the loop's.
[[nodiscard]] int in_own_process(int keep, const std::function<int()>& work);

}  // namespace net
