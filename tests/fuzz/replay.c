/* Feeds a fuzz target what its fuzzer has found: every file of tests/fuzz/corpus/NAME, NAME being that of the program; or of the files and
 * folders on the command line. With --enable-fuzz libFuzzer takes the place of this file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int failed, played;

static void play_file(const char *path)
{
	struct stat st;
	FILE *in = fopen(path, "rb");
	uint8_t *data = NULL;
	/* A buffer of just this size lets the address sanitizer see each byte read beyond it. */
	if (!in || fstat(fileno(in), &st) != 0 || !(data = malloc(st.st_size ? (size_t)st.st_size : 1)) ||
	    fread(data, 1, (size_t)st.st_size, in) != (size_t)st.st_size) {
		perror(path);
		failed++;
	} else {
		LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
		played++;
	}
	free(data);
	if (in)
		fclose(in);
}

static void play_folder(const char *path, DIR *folder)
{
	char file[4096];
	for (struct dirent *e; (e = readdir(folder));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		play_file(file);
	}
	closedir(folder);
}

static void play(const char *path)
{
	DIR *folder = opendir(path);
	if (folder)
		play_folder(path, folder);
	else
		play_file(path);
}

int main(int argc, char **argv)
{
	char corpus[4096];
	const char *name = strrchr(argv[0], '/'), *srcdir = getenv("srcdir");
	snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name ? name + 1 : argv[0]);
	if (argc < 2)
		play(corpus);
	for (int i = 1; i < argc; i++)
		play(argv[i]);
	printf("%d inputs\n", played);
	return failed || !played;
}
