/*
 * What a C++ program that is linked statically with libstdc++ asks of its kernel: exceptions, also out of a signal
 * handler, whose frame the unwinder must know; threads with all that the library builds from futexes; files,
 * directories and streams.
 */
#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <locale>
#include <map>
#include <mutex>
#include <random>
#include <semaphore>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include "user/lib/check.h"
}

using namespace std::chrono_literals;

namespace {

constexpr int THREADS = 8;
constexpr int TURNS = 200;
constexpr int DEPTH = 20;

/* Counts how many of its kind there are. */
struct Counted {
    static inline std::atomic<int> alive;
    Counted() { alive++; }
    ~Counted() { alive--; }
};

/* ---- exceptions ---- */

int
throw_from(int depth)
{
    Counted local;

    if (depth == 0)
        throw std::out_of_range("far below");
    return throw_from(depth - 1) + 1;
}

int
catches()
{
    int caught = 0;

    for (int i = 0; i < TURNS; i++) {
        try {
            throw_from(DEPTH);
        } catch (const std::logic_error &error) {
            caught += error.what() == std::string("far below");
        }
    }
    return caught;
}

struct Fault {};

bool
fault_is_caught()
{
    struct sigaction action = {};
    bool caught = false;

    action.sa_handler = [](int) { throw Fault(); };
    action.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &action, nullptr);
    try {
        Counted local;
        volatile int *volatile nowhere = nullptr;
        *nowhere = 1;
    } catch (const Fault &) {
        caught = true;
    }
    signal(SIGSEGV, SIG_DFL);
    return caught;
}

void
exceptions_check()
{
    std::atomic<int> caught = 0;
    std::vector<std::thread> threads;

    check_that(catches() == TURNS && Counted::alive == 0, "exceptions are caught, and what they pass is destroyed");
    for (int i = 0; i < THREADS; i++)
        threads.emplace_back([&] { caught += catches(); });
    for (auto &thread : threads)
        thread.join();
    check_that(caught == THREADS * TURNS && Counted::alive == 0, "in every thread");
    check_that(fault_is_caught() && Counted::alive == 0, "a signal handler throws through the frame of its signal");
    pid_t child = check_fork();
    if (child == 0) {
        close(STDERR_FILENO);
        throw Fault();
    }
    int status = check_wait(child);
    check_that(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "an exception that nobody catches ends in SIGABRT");
}

/* ---- threads ---- */

thread_local int own = 7;
thread_local Counted own_counted;

void
locals_check()
{
    int seen = 0, alive = 0;

    own = 9;
    (void) &own_counted;
    std::thread([&] {
        seen = own;
        Counted *touched = &own_counted;
        alive = touched != nullptr ? touched->alive.load() : 0;
    }).join();
    check_that(seen == 7 && own == 9, "each thread has its own thread_local");
    check_that(alive == 2 && Counted::alive == 1, "which is destroyed when the thread ends");
}

void
futures_check()
{
    std::vector<std::future<long>> parts;
    std::promise<std::string> promise;
    auto promised = promise.get_future();
    long sum = 0;

    for (int i = 0; i < THREADS * 2; i++)
        parts.push_back(std::async(std::launch::async, [i] { return i * 1L; }));
    for (auto &part : parts)
        sum += part.get();
    check_that(sum == THREADS * (THREADS * 2L - 1), "async computes in threads");
    auto failing = std::async(std::launch::async, [] { throw_from(1); });
    try {
        failing.get();
        check_that(false, "the exception of a thread reaches who waits for it");
    } catch (const std::out_of_range &) {
        check_that(true, "the exception of a thread reaches who waits for it");
    }
    check_that(promised.wait_for(5ms) == std::future_status::timeout, "waiting ends when time is up");
    std::jthread thread([&] { promise.set_value("kept"); });
    check_that(promised.get() == "kept", "or when the promise is kept");
}

void
conditions_check()
{
    std::mutex mutex;
    std::condition_variable changed;
    int turn = 0, taken = 0;
    auto take_turns = [&](int mine) {
        for (int i = 0; i < TURNS; i++) {
            std::unique_lock hold(mutex);
            changed.wait(hold, [&] { return turn == mine; });
            taken++;
            turn = 1 - turn;
            changed.notify_all();
        }
    };
    std::thread other(take_turns, 1);

    take_turns(0);
    other.join();
    check_that(taken == 2 * TURNS && turn == 0, "two threads take turns by a condition variable");
    std::unique_lock hold(mutex);
    auto start = std::chrono::steady_clock::now();
    check_that(changed.wait_for(hold, 20ms) == std::cv_status::timeout && std::chrono::steady_clock::now() - start >= 20ms,
        "a wait with a limit ends, and not too early");
}

void
meetings_check()
{
    std::atomic<int> met = 0, once = 0;
    std::barrier barrier(THREADS, [&]() noexcept { met++; });
    std::counting_semaphore<THREADS> room(0);
    std::once_flag flag;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < THREADS; i++)
            threads.emplace_back([&] {
                for (int turn = 0; turn < DEPTH; turn++)
                    barrier.arrive_and_wait();
                std::call_once(flag, [&] { once++; });
                room.release();
            });
    }
    check_that(met == DEPTH, "threads meet at a barrier");
    check_that(once == 1, "call_once calls once");
    int entered = 0;
    while (room.try_acquire())
        entered++;
    check_that(entered == THREADS && !room.try_acquire_for(5ms), "a semaphore counts");
}

/* ---- files and texts ---- */

void
files_check()
{
    namespace fs = std::filesystem;
    fs::path top = fs::temp_directory_path() / ("cpp" + std::to_string(getpid()));
    std::vector<std::string> names;
    std::string line;
    int lines = 0;

    fs::create_directories(top / "a/b");
    std::ofstream(top / "a/text") << "one\ntwo\n";
    for (std::ifstream file(top / "a/text"); std::getline(file, line);)
        lines++;
    check_that(lines == 2 && fs::file_size(top / "a/text") == 8, "streams write and read a file");
    fs::create_symlink("text", top / "a/link");
    fs::copy(top / "a", top / "copy", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    fs::rename(top / "copy", top / "c");
    fs::permissions(top / "c/text", fs::perms::owner_read);
    fs::last_write_time(top / "c/text", fs::last_write_time(top / "a/text") - 1h);
    for (const auto &entry : fs::recursive_directory_iterator(top))
        names.push_back(entry.path().lexically_relative(top));
    std::sort(names.begin(), names.end());
    check_that(names == std::vector<std::string>{"a", "a/b", "a/link", "a/text", "c", "c/b", "c/link", "c/text"}, "a tree is made, copied and walked through");
    check_that(fs::canonical(top / "a/b/../link") == fs::canonical(top) / "a/text", "a path is made canonical");
    std::error_code error;
    check_that(!fs::remove(top / "a", error) && error == std::errc::directory_not_empty, "what is not empty is not removed");
    check_that(fs::space(top).capacity > 0 && fs::remove_all(top) == 9 && !fs::exists(top), "but all of it is");
}

struct Dots : std::numpunct<char> {
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

void
texts_check()
{
    std::ostringstream text;
    std::map<int, std::string> many;

    text.imbue(std::locale(std::locale::classic(), new Dots));
    text << 1234567 << ' ' << 0.5;
    check_that(text.str() == "1.234.567 0.5", "a locale of one's own");
    try {
        std::locale("nowhere");
        check_that(false, "an unknown one is an exception");
    } catch (const std::runtime_error &) {
        check_that(true, "an unknown one is an exception");
    }
    for (int i = 0; i < 20000; i++)
        many[i * 7919 % 20011] = std::to_string(i);
    check_that(many.size() == 20000, "twenty thousand nodes and strings");
    check_that(std::random_device()() != std::random_device()(), "random numbers differ");
}

} // namespace

int
main()
{
    exceptions_check();
    locals_check();
    futures_check();
    conditions_check();
    meetings_check();
    files_check();
    texts_check();
    return check_end();
}
