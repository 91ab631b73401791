/* The daemon: what is started and stopped, in order. */
int main(void)
{
	return 0;
}
