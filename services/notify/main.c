#include "services/notify/notify.h"

int main(int argc, char **argv)
{
	return service_main(&notify_service, argc, argv);
}
