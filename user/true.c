/*
 * The least program there is: it returns. bench and vfork exec it.
 */
int
main(void)
{
    return 0;
}
