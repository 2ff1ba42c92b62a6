#include "services/urgent/urgent.h"

int main(int argc, char **argv)
{
	return service_main(&urgent_service, argc, argv);
}
