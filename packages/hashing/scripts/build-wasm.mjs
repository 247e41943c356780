// placeholder until the kernel exists
