// Secret memory: where Secrets lie. All of it is libsodium's: locked, with guard pages, left out of
// core dumps, and wiped when it is given back.
//
// Keys are small and many, and a piece of libsodium's memory of its own costs four pages, four
// mappings (the kernel gives a process 65,530) and ten system calls. So pieces of up to 64 bytes
// come from slabs, which share their guard pages. Slabs stay until the process ends.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::vault {

/// `size` zero bytes, or null if the machine has no lockable memory left. Thread-safe.
std::uint8_t* allocate_secret(std::size_t size);

/// Wipes and takes back what allocate_secret() gave; null is taken too. Thread-safe.
void release_secret(std::uint8_t* memory) noexcept;

}  // namespace holdfast::vault
