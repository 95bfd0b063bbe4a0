// Descriptors, words and signals between fork() and execve(): what a new process is left with.
//
// Whatever is called in the child of a process with threads may only use what is safe in a signal
// handler: no memory is taken there.
#pragma once

#include "vault/base/file.h"

#include <span>
#include <string>
#include <vector>

namespace holdfast::agent {

struct Pipe {
    Fd read;
    Fd write;

    /// Both ends close at execve(). Errors: Io.
    static Result<Pipe> make();
};

/// A list of texts as execve() wants it. Made before the fork.
class Strings {
public:
    explicit Strings(std::vector<std::string> texts);
    char* const* get() { return pointers_.data(); }

private:
    std::vector<std::string> texts_;
    std::vector<char*> pointers_;
};

/// A search path and a language, and where our own programs are if that was said.
std::vector<std::string> plain_environment();

/// Makes `descriptors` 0, 1, 2… of this process and closes all others. At most 8. Child only.
bool place_descriptors(std::initializer_list<int> descriptors);

/// All signals unblocked, none ignored. Child only.
void reset_signals();

}  // namespace holdfast::agent
