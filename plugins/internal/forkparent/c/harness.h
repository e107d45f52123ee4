/* What the parts of the test program say to the harness. */
#ifndef GT_HARNESS_H
#define GT_HARNESS_H
#ifdef __cplusplus
extern "C" {
#endif
#define GT_HIDDEN __attribute__((visibility("hidden")))
/* The name of the one test that this process runs, or NULL for all. */
GT_HIDDEN extern const char *gt_only;
/* Announces the test file::name; 0 means that it is not to run. */
GT_HIDDEN int gt_begin(const char *file, const char *name);
/* Reports on the running test: 'p' passed, 'f' failed, 'e' error, 's' skipped. */
GT_HIDDEN void gt_end(char status, const char *message);
/* Writes a line to the parent, and waits until it is taken: S, R, or D at the end. */
GT_HIDDEN void gt_report(char kind, const char *status, const char *message);
/* The file whose main runs. */
GT_HIDDEN extern const char *gt_file;
/* Characters that Unity prints. */
GT_HIDDEN void gt_unity_char(int c);
/* Runs all of the tests; generated for each task. */
GT_HIDDEN void gt_run_all(void);
#ifdef __cplusplus
}
#endif
#endif
