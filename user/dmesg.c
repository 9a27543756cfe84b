/*
 * dmesg: what the kernel has said last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>

enum { READ_ALL = 3, SIZE_BUFFER = 10 };

int
main(void)
{
    int bytes = klogctl(SIZE_BUFFER, NULL, 0);
    char *text = bytes > 0 ? malloc((size_t) bytes + 1) : NULL;

    if (text == NULL || (bytes = klogctl(READ_ALL, text, bytes)) < 0) {
        perror("dmesg");
        return EXIT_FAILURE;
    }
    text[bytes] = '\0';
    /* Each line begins with its priority: <6>. */
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        puts(*line == '<' ? line + strcspn(line, ">") + 1 : line);
    free(text);
    return EXIT_SUCCESS;
}
