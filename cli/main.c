/* SPDX-License-Identifier: Apache-2.0 */
/* The entry point; everything else of the command is in the library, where tests reach it. */
#include "cli/cli.h"

int main(int argc, char **argv);

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
